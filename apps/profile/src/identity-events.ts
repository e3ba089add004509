/**
 * Reads auth's events, at least once and in order per user (the key). profile checks each event's signature. Otherwise any process that reaches the
 * broker could join a stranger's data to its own account.
 *
 * A forged record is counted and passed over. A record is read again for as long as auth's keys are unavailable and it cannot be judged: passing it
 * over would lose a join.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { IdentityEventSchema, topics } from '@cloakroom/contracts';
import {
  traceIdOfRecord,
  type BatchControl,
  type EventLog,
  type LogRecord,
  type RecordBatch,
  type Subscription,
} from '@cloakroom/event-log';
import { verifyEvent, type KeyRing } from '@cloakroom/identity';
import { type Clock, type Logger } from '@cloakroom/platform';
import { changeEmail, joinGuest, registerAccount } from './join-guest.ts';
import type { Database } from './profiles.ts';

export const identityGroup = 'profile-identity';

/** Far below the session time-out of a group member (6 s). */
const keysRetryMs = 500;
/** The event log may come up after this service, and go away again. */
const subscribeRetryMs = 1_000;

export interface IdentityEventParts {
  readonly db: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sleep: (durationMs: number) => Promise<void>;
}

export async function takeIdentityEvents(parts: IdentityEventParts, batch: RecordBatch, control: BatchControl): Promise<void> {
  for (const record of batch.records) {
    const verdict = await judge(record, parts);
    if (verdict === 'keys_unavailable') {
      await parts.sleep(keysRetryMs);
      control.seek(batch.topic, batch.partition, record.offset);
      return;
    }
    if (verdict === 'forged') parts.log.warn(whereOf(record), 'an identity event that auth did not sign');
    else await apply(record, parts);
  }
}

const whereOf = (record: LogRecord) => ({
  partition: record.partition,
  offset: String(record.offset),
  trace_id: traceIdOfRecord(record),
});

async function judge(record: LogRecord, { keys, log }: IdentityEventParts): Promise<'valid' | 'forged' | 'keys_unavailable'> {
  try {
    return (await verifyEvent(record, keys)) ? 'valid' : 'forged';
  } catch (error) {
    log.warn({ err: error, ...whereOf(record) }, 'no verdict on an identity event: the keys of auth are out of reach');
    return 'keys_unavailable';
  }
}

async function apply(record: LogRecord, { db, clock, log }: IdentityEventParts): Promise<void> {
  const { eventId, event } = fromBinary(IdentityEventSchema, record.value!);
  if (event.case === 'accountRegistered') await registerAccount(db, event.value, clock.nowMs());
  else if (event.case === 'emailChanged') await changeEmail(db, event.value, clock.nowMs());
  else if (event.case === 'guestClaimed') {
    const joined = await joinGuest(db, event.value, clock.nowMs());
    if (joined) log.info({ eventId, guest: event.value.guestCartId, trace_id: traceIdOfRecord(record) }, 'a guest joined a user');
  }
  // Any other kind belongs to a later version of auth, and this service ignores it.
}

export interface IdentityEvents {
  /** Whether this process reads the topic. */
  subscribed(): boolean;
  /** Does not wait for a broker. */
  start(): void;
  stop(): Promise<void>;
}

/** Reads from the beginning of the topic at first, and later from where this group stood. */
export function followIdentityEvents(eventLog: EventLog, parts: IdentityEventParts): IdentityEvents {
  let subscription: Subscription | undefined;
  let stopped = false;
  const follow = async (): Promise<void> => {
    while (!stopped) {
      try {
        await eventLog.ensureTopics([topics.identityEvents]);
        subscription = await eventLog.subscribe({
          group: identityGroup,
          topics: [topics.identityEvents],
          from: 'earliest',
          handler: (batch, control) => takeIdentityEvents(parts, batch, control),
          onDeadLetter: (record, reason) => {
            parts.log.error({ ...whereOf(record), reason }, 'an identity event could not be applied');
            return Promise.resolve();
          },
        });
        if (stopped) await subscription.stop();
        return;
      } catch (error) {
        if (!stopped) parts.log.warn({ err: error }, 'identity events cannot be read yet');
        await parts.sleep(subscribeRetryMs);
      }
    }
  };
  return {
    subscribed: () => subscription !== undefined,
    start: () => void follow(),
    async stop() {
      stopped = true;
      // Stopping does not wait for the search for a broker, which may take longer than a process has to stop.
      await subscription?.stop();
    },
  };
}
