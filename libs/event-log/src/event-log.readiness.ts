/** What /readyz says of the log. */
import { lookWithin } from '@cloakroom/platform';
import type { EventLog } from './event-log.ts';

/** @param kind what is told of a log that does not answer @param maxMs above the usual only where it must be known whether the log is there */
export async function lookAtLog(eventLog: Pick<EventLog, 'describe'>, kind: string, maxMs?: number) {
  const found = await lookWithin<{ readonly kind: string; readonly clusterId: string } | undefined>(eventLog.describe(), undefined, maxMs);
  return found === undefined ? { kind, reachable: false, degraded: 'the event log does not answer' } : { ...found, reachable: true };
}
