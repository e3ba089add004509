/**
 * Judges a history: did the shop keep its promises? The function is pure: the same history always has the same verdict.
 *
 * | kind | the promise that was broken |
 * |---|---|
 * | `lost` | an acknowledged command stays until something that had seen it removes it |
 * | `resurrected` | a removed product stays away |
 * | `doubled` | a command counts once, also when it is sent again after a sign-in |
 * | `refused-but-happened` | a refused command does not happen |
 * | `foreign` | no person sees another person's cart or orders |
 * | `stale-unmarked` | a read is not older than the position that it brought, or is marked as stale |
 * | `went-back` | a device that sends its position never sees an older cart than before |
 * | `late` | on a healthy system everything shows within a bound |
 * | `diverged`, `not-converged` | after repair all devices see the same cart at every gateway, and nothing is left to wait for |
 * | `ordered-twice`, `two-orders`, `order-inexact`, `ordered-stays` | one order for a key and for a dot, with exactly the dots seen; they leave the cart |
 * | `charged-wrong`, `oversold` | a person pays the agreed amount, once; a product that is not in stock is not sold |
 * | `revoked-accepted` | every gateway refuses an ended session within its bound |
 *
 * The checker never blames the shop for facts that clients cannot know. An operation with unknown outcome may have happened or not,
 * whichever suits the shop best. But when a read has shown its effect, it did happen.
 */
import { checkEnd, waitingFor } from './history.final.ts';
import { checkOrders } from './history.orders.ts';
import { checkReads } from './history.reads.ts';
import { repeatsOf } from './history.repeats.ts';
import { checkSessions } from './history.sessions.ts';
import { factsOf } from './history.facts.ts';
import { textOf, type Facts } from './history.terms.ts';
import { outcomeWords, type Anomaly, type History, type HistoryBounds, type Verdict } from './history.ts';

export const historyBounds: HistoryBounds = {
  revokedWithinMs: 2_500,
  revokedDuringFaultsWithinMs: 62_500,
  // A thousand times the median. A busy machine is late, and lateness must not hide a lost command.
  visibleWithinMs: 5_000,
  gatewaysAreRegions: false,
};

export function checkHistory(history: History, bounds: Partial<HistoryBounds> = {}): Verdict {
  const all = { ...historyBounds, ...history.bounds, ...bounds };
  const facts = factsOf(history);
  const { anomalies: atTheEnd, told } = checkEnd(facts);
  const anomalies = [...atTheEnd, ...checkSessions(facts, all), ...checkOrders(facts), ...checkReads(facts, all, told)];
  return {
    ok: anomalies.length === 0,
    anomalies: smallestFirst(anomalies),
    visibleMs: visibleOf(facts),
    repeats: repeatsOf(history),
    counts: countsOf(history),
  };
}

/** The things that a run must still wait for before its end can be judged. Empty when the run has settled. */
export function unsettled(history: History): Anomaly[] {
  return waitingFor(factsOf(history));
}

/** An anomaly that occurs often is shown by the few cases that are easiest to read. */
const shownOfKindMax = 10;

function smallestFirst(anomalies: readonly Anomaly[]): Anomaly[] {
  const kinds = Map.groupBy(anomalies, ({ kind }) => kind);
  return [...kinds.values()].flatMap((some) => some.toSorted((a, b) => a.operations.length - b.operations.length).slice(0, shownOfKindMax));
}

/**
 * Times measured by watchers. A watcher looks for one command from its answer on (`looksFor`). It brings no position,
 * because the shop makes a read with a position wait.
 */
function visibleOf({ commands, reads }: Facts): Verdict['visibleMs'] {
  const waited = new Map<string, number>();
  const lookedFor = new Set<string>();
  for (const { dots, operation, atMs } of reads) {
    const command = commands.get(textOf(operation.input['looksFor']));
    if (command !== undefined) lookedFor.add(command.name);
    if (command === undefined || waited.has(command.name) || dots?.has(command.name) !== true) continue;
    waited.set(command.name, Math.max(0, atMs - command.ackedAtMs));
  }
  const sorted = [...waited.values()].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { count: sorted.length, unseen: lookedFor.size - sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

function countsOf({ operations }: History): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, outcome } of operations) {
    const name = `${kind} ${outcomeWords[outcome]}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
