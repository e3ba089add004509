/**
 * Judges a history: was the shop what it says it is? Pure: the same history has the same verdict for ever.
 *
 * | kind | what was promised and broken |
 * |---|---|
 * | `lost` | what was acknowledged stays until something that had seen it removes it |
 * | `resurrected` | what was removed stays away |
 * | `doubled` | what was asked for once counts once, also where it is asked again after a sign-in |
 * | `refused-but-happened` | a refusal is a refusal |
 * | `foreign` | nobody sees another's cart or orders |
 * | `stale-unmarked` | a read is not older than the position that it brought, or says so |
 * | `went-back` | what one device has seen stays seen, where it brings how far that was |
 * | `late` | on a healthy system everything shows within a bound |
 * | `diverged`, `not-converged` | once mended, all devices see the same cart at every gateway, and nothing is left to wait for |
 * | `ordered-twice`, `two-orders`, `order-inexact`, `ordered-stays` | one order for a key and for a dot, of exactly what was seen, and the cart lets go of that |
 * | `charged-wrong`, `oversold` | nobody pays another amount than agreed to, once; nothing is sold that is not there |
 * | `revoked-accepted` | an ended session is refused everywhere within its bound |
 *
 * What the clients cannot know is never held against the shop: an operation of unknown outcome may have happened or not, as suits it best. But
 * what a read has shown of it did happen.
 */
import { checkEnd, waitingFor } from './history.final.ts';
import { checkOrders } from './history.orders.ts';
import { checkReads } from './history.reads.ts';
import { repeatsOf } from './history.repeats.ts';
import { checkSessions } from './history.sessions.ts';
import { factsOf } from './history.facts.ts';
import { textOf, type Facts, type HistoryBounds } from './history.terms.ts';
import { outcomeWords, type Anomaly, type History, type Verdict } from './history.ts';

export const historyBounds: HistoryBounds = {
  revokedWithinMs: 2_500,
  revokedDuringFaultsWithinMs: 62_500,
  // A thousand times the median: a busy machine is late, and lateness must not hide what is lost.
  visibleWithinMs: 5_000,
};

export function checkHistory(history: History, bounds: Partial<HistoryBounds> = {}): Verdict {
  const all = { ...historyBounds, ...bounds };
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

/** What a run has still to wait for before its end can be judged; empty when it has settled. */
export function unsettled(history: History): Anomaly[] {
  return waitingFor(factsOf(history));
}

/** Of what went wrong often the few that are easiest to read. */
const shownOfKindMax = 10;

function smallestFirst(anomalies: readonly Anomaly[]): Anomaly[] {
  const kinds = Map.groupBy(anomalies, ({ kind }) => kind);
  return [...kinds.values()].flatMap((some) => some.toSorted((a, b) => a.operations.length - b.operations.length).slice(0, shownOfKindMax));
}

/** By watchers, who look for one command from its answer on (`looksFor`) and bring no position: those who do are made to wait. */
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
