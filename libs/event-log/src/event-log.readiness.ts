/** The part of /readyz about the log. */
import { lookWithin, seconds, stuckAfterMs } from '@cloakroom/platform';
import type { EventLog, Subscription } from './event-log.ts';

/** @param kind the words for a log that does not answer @param maxMs above the usual only where the caller must know whether the log is there */
export async function lookAtLog(eventLog: Pick<EventLog, 'describe'>, kind: string, maxMs?: number) {
  const found = await lookWithin<{ readonly kind: string; readonly clusterId: string } | undefined>(eventLog.describe(), undefined, maxMs);
  return found === undefined ? { kind, reachable: false, degraded: 'the event log does not answer' } : { ...found, reachable: true };
}

/**
 * A sentence about a reader that its group has given no share for `stuckAfterMs`; undefined when all is well. A rebalance takes less. An
 * empty share is no trouble: the group has more members than partitions.
 */
export function outsideItsGroup(group: string, reader: Pick<Subscription, 'unassignedMs'> | undefined): string | undefined {
  const unassignedMs = reader?.unassignedMs() ?? 0;
  return unassignedMs > stuckAfterMs ? `${group} has had no share of its partitions for ${seconds(unassignedMs)}` : undefined;
}
