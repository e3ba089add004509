/** The part of /readyz about the log. */
import { lookWithin } from '@cloakroom/platform';
import type { EventLog } from './event-log.ts';

/** @param kind the words for a log that does not answer @param maxMs above the usual only where the caller must know whether the log is there */
export async function lookAtLog(eventLog: Pick<EventLog, 'describe'>, kind: string, maxMs?: number) {
  const found = await lookWithin<{ readonly kind: string; readonly clusterId: string } | undefined>(eventLog.describe(), undefined, maxMs);
  return found === undefined ? { kind, reachable: false, degraded: 'the event log does not answer' } : { ...found, reachable: true };
}
