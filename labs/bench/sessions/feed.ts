/**
 * `npm run bench -- feed`: what one revocation costs the feed. Real sessions end, the real relay publishes what that left in the outbox, and a real
 * reader hears it. One process, no sockets: bytes are counted, and CPU is compared with the same again.
 */
import { topics } from '@cloakroom/contracts';
import { type LogRecord, type OutgoingRecord, type RecordBatch, sizeOf, type SubscribeOptions, type EventLog } from '@cloakroom/event-log';
import { openRevocationFeed, verifyEvent } from '@cloakroom/identity';
import { createLogger, systemClock } from '@cloakroom/platform';
import { create } from '@bufbuild/protobuf';
import { LogoutRequestSchema } from '@cloakroom/contracts';
import { beatOnce, publishRows } from '../../../apps/auth/src/operations/relay.ts';
import { contextOf, guest, type Harness, openHarness } from '../../../apps/auth/src/auth.harness.ts';
import { logout } from '../../../apps/auth/src/sessions/logout.ts';
import { table } from '../measuring/figures.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report } from '../measuring/report.ts';
import { median, ratios, spread, type Spread } from '../measuring/statistics.ts';

export interface FeedMeasured {
  /** Key, value and headers, the signature among them. */
  readonly recordBytes: number;
  readonly beatBytes: number;
  /** CPU of a reader for one revocation: its signature, and noting it. */
  readonly hearUs: number;
  readonly again: Spread;
  readonly count: number;
  readonly pairs: number;
}

/** Ended sessions a block: some 50 ms of a reader, so that the machine changes little within a pair. */
export const countDefault = 300;
/** By the harness' own clock. */
const pauseMs = 5_000;

export async function benchFeed(pairs: number, count = countDefault): Promise<FeedMeasured> {
  const harness = await openHarness();
  const first = await endSessions(harness, count);
  await beatOnce(harness.relay);
  const beat = harness.eventLog.of(topics.sessionRevocations).at(-1)!;
  const costs: { readonly one: number; readonly again: number }[] = [];
  // The first pair is compiled while it runs, and not counted.
  for (let pair = 0; pair <= pairs; pair++) {
    const [one, again] = [await hearing(harness, first), await hearing(harness, first)];
    if (pair > 0) costs.push({ one, again });
  }
  await harness.auth.database.destroy();
  return {
    recordBytes: median(first.map(sizeOf)),
    beatBytes: sizeOf(beat),
    hearUs: median(costs.map(({ one }) => one)),
    again: spread(
      ratios(
        costs.map(({ again }) => again),
        costs.map(({ one }) => one),
      ),
    ),
    count,
    pairs,
  };
}

/** @returns what the relay published of them */
export async function endSessions(harness: Harness, count: number): Promise<OutgoingRecord[]> {
  const before = harness.eventLog.of(topics.sessionRevocations).length;
  for (let i = 0; i < count; i++) {
    const { token } = await guest(harness);
    await logout(harness.auth, contextOf(), create(LogoutRequestSchema, { token }));
    // All guests come from one address, and auth limits how many of those there are in an hour.
    harness.clock.advance(pauseMs);
  }
  while (await publishRows(harness.relay, topics.sessionRevocations));
  const records = harness.eventLog.of(topics.sessionRevocations).slice(before);
  if (records.length !== count) throw new Error(`${count} sessions ended, and the relay published ${records.length} records`);
  return records;
}

/** A new reader hears all records in one batch. @returns microseconds of CPU for each */
async function hearing(harness: Harness, records: readonly OutgoingRecord[]): Promise<number> {
  let heard = 0;
  const reader = await openReader(harness);
  reader.feed.onRevocation(() => (heard += 1));
  const before = process.cpuUsage();
  await reader.hear(records);
  const { user, system } = process.cpuUsage(before);
  await reader.feed.stop();
  if (heard !== records.length) throw new Error(`the reader heard ${heard} of ${records.length}`);
  return (user + system) / records.length;
}

/** A reader as every process has one, whose log hands over what the relay published. */
export async function openReader({ auth }: Pick<Harness, 'auth'>) {
  let options: SubscribeOptions | undefined;
  const topic = topics.sessionRevocations.name;
  const eventLog = {
    bounds: () => Promise.resolve(new Map([[0, { first: 0n, next: 0n }]])),
    offsetsByTime: () => Promise.resolve(new Map([[0, 0n]])),
    subscribe: (given: SubscribeOptions) => {
      options = given;
      return Promise.resolve({ stop: () => Promise.resolve() });
    },
  } as unknown as EventLog;
  const keys = { find: auth.keys.find, refresh: () => Promise.resolve(), retire: () => undefined };
  const feed = await openRevocationFeed({
    eventLog,
    topic: topics.sessionRevocations,
    keys,
    verify: async (record) => ((await verifyEvent(record, keys)) ? 'valid' : 'forged'),
    // It never asks for a lease: only what it hears is measured.
    askRelay: () => Promise.resolve({ boot: '', beatMs: 0 }),
    clock: systemClock,
    log: createLogger('bench', 'silent'),
    group: 'feed-bench',
  });
  let next = 0n;
  const asHeard = ({ key, value, headers = {} }: OutgoingRecord): LogRecord => ({
    topic,
    partition: 0,
    offset: next++,
    key,
    value,
    headers,
    timestampMs: 0,
  });
  const hear = (records: readonly OutgoingRecord[]): Promise<void> => {
    const batch: RecordBatch = {
      topic,
      partition: 0,
      records: records.map(asHeard),
      highWatermark: next,
      fetchStartedMs: systemClock.monotonicMs(),
    };
    return options!.handler(batch, { seek: () => undefined });
  };
  return { feed, hear };
}

export function feedReport(measured: FeedMeasured, machine: Machine, command: string): Report {
  const { recordBytes, beatBytes, hearUs, again, count, pairs } = measured;
  return {
    name: 'feed',
    title: 'What a revocation costs the feed',
    machine,
    command,
    method: [
      'Sessions end, and the relay publishes what that left in the outbox. Bytes are those of key, value and headers; a broker adds its own.',
      `A reader verifies and notes ${count} of them, ${pairs} pairs of blocks; CPU of this process, the median. The last row is the same block again over the first (A/A).`,
    ],
    tables: [
      table<readonly [string, string]>(
        undefined,
        [
          ['one revocation', `${recordBytes} bytes`],
          ['one heartbeat', `${beatBytes} bytes`],
          ['a reader hears one revocation', `${hearUs.toFixed(0)} us`],
          ['again (A/A)', `${again.median.toFixed(2)} (${again.low.toFixed(2)} to ${again.high.toFixed(2)})`],
        ],
        [
          ['', ([what]) => what],
          ['measured', ([, value]) => value],
        ],
      ),
    ],
    verdicts: [],
    charts: [],
    data: measured,
  };
}
