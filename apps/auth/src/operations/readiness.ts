/**
 * Auth's answer at /readyz. Auth stays ready without Kafka, the session store or the database, since all its replicas share them.
 * Gateways that start just then need auth's keys and its relay's clock, and both need neither log nor session store.
 */
import { type EventLog, lookAtLog } from '@cloakroom/event-log';
import { lookWithin, type PartStatus, type Readiness, seconds, stuckAfterMs } from '@cloakroom/platform';
import type { Auth } from '../auth.ts';
import type { AuthConfig } from '../config.ts';
import { committedAtMs } from '../metrics.ts';
import type { Relay } from './relay.ts';

/** Counting stops here: a larger number says nothing more and would cost time. */
const countedRowsMax = 1_000;

type RelayLook = Pick<Relay, 'relays' | 'silentForMs'>;

export async function lookAtParts(
  auth: Pick<Auth, 'store' | 'database' | 'clock'>,
  eventLog: Pick<EventLog, 'describe'>,
  relay: RelayLook,
  config: Pick<AuthConfig, 'SESSION_STORE' | 'EVENT_LOG' | 'PROVIDER'>,
): Promise<Readiness> {
  const [store, log, outbox] = await Promise.all([
    lookWithin<PartStatus>(
      auth.store.incarnation().then((incarnation) => ({ ok: true, incarnation })),
      { ok: true, degraded: 'the session store does not answer' },
    ),
    lookAtLog(eventLog, config.EVENT_LOG),
    lookWithin<PartStatus>(lookAtOutbox(auth), { ok: true, degraded: 'the database does not answer' }),
  ]);
  return {
    sessionStore: { ...store, kind: config.SESSION_STORE },
    eventLog: { ok: true, ...log },
    outbox,
    relay: relayStatus(relay),
    provider: { ok: true, name: config.PROVIDER },
  };
}

/** Every replica reports rows that wait too long, whichever replica relays. */
async function lookAtOutbox({ database, clock }: Pick<Auth, 'database' | 'clock'>): Promise<PartStatus> {
  const rows = await database.selectFrom('outbox').select('sequence').limit(countedRowsMax).execute();
  const waiting = rows.length < countedRowsMax ? rows.length : `${countedRowsMax} or more`;
  const oldest = await database.selectFrom('outbox').selectAll().where('published', '=', 0).orderBy('sequence').limit(1).executeTakeFirst();
  const ageMs = oldest === undefined ? 0 : clock.nowMs() - committedAtMs(oldest);
  if (oldest === undefined || ageMs <= stuckAfterMs) return { ok: true, waiting };
  return { ok: true, waiting, degraded: `what was committed ${seconds(ageMs)} ago is not published yet (${oldest.topic})` };
}

/** Only one replica of auth relays; the others are just as ready. */
function relayStatus(relay: RelayLook): PartStatus {
  const silentMs = relay.silentForMs() ?? 0;
  const degraded = `no heartbeat could be published for ${seconds(silentMs)}: nobody may trust a cached identity`;
  return { ok: true, here: relay.relays(), ...(silentMs > stuckAfterMs && { degraded }) };
}
