/** A counter-example for a person to read: the few operations that matter, in order, and the faults at that time. */
import { repeatKinds } from './history.repeats.ts';
import { outcomeWords, type Anomaly, type History, type Operation, type RepeatKind, type Repeats } from './history.ts';
import { textOf, type ShownLine } from './history.terms.ts';

/** People do not read more operations than this. */
const operationCountMax = 12;
const dotCountMax = 8;

/**
 * ```
 * lost: add 2 of cap (d1.4) was acknowledged, nothing that had seen it removed it, and it is not there
 *      +0.0 ms  d1 (p1) :4000  add cap x2 = d1.4 -> ok in 4.1 ms
 *    +312.5 ms  d2 (p1) :4001  read, last -> cap 1 [d1.2]
 * ```
 */
export function explain(anomaly: Anomaly, history: History): string {
  const wanted = new Set(anomaly.operations);
  const all = history.operations.filter(({ id }) => wanted.has(id)).toSorted((a, b) => a.invokedAtMs - b.invokedAtMs);
  const shown = all.length > operationCountMax ? [...all.slice(0, operationCountMax - 2), ...all.slice(-2)] : all;
  const startMs = shown[0]?.invokedAtMs ?? 0;
  const endMs = shown.at(-1)?.completedAtMs ?? startMs;
  const since = (ms: number): string => `+${(ms - startMs).toFixed(1)} ms`.padStart(14);
  const lines = shown.map(
    (one) => `${since(one.invokedAtMs)}  ${one.client} (${one.person}) ${placeOf(one)}  ${callOf(one)} -> ${answerOf(one)}`,
  );
  if (shown.length < all.length) lines.splice(operationCountMax - 2, 0, `${' '.repeat(14)}  ... ${all.length - shown.length} more`);
  const faults = history.faults
    .filter(({ fromMs, toMs }) => fromMs < endMs && toMs > startMs)
    .map(({ name, target, fromMs, toMs }) => `${since(fromMs)}  ${name} ${target}${toMs < endMs ? `, until ${since(toMs).trim()}` : ''}`);
  return [`${anomaly.kind}: ${anomaly.message}`, ...lines, ...faults].join('\n');
}

const placeOf = ({ gateway }: Operation): string => /:\d+$/.exec(gateway)?.[0] ?? gateway;

function callOf({ kind, input }: Operation): string {
  const item = input['productId'] === undefined ? '' : ` ${textOf(input['productId'])}`;
  const quantity = typeof input['quantity'] === 'number' ? ` x${input['quantity']}` : '';
  const name = input['commandId'] === undefined ? '' : ` = ${textOf(input['commandId'])}`;
  const observed = Array.isArray(input['observed']) ? ` having seen ${few(input['observed'] as string[])}` : '';
  const key = input['key'] === undefined ? '' : ` ${textOf(input['key'])}`;
  const session = kind === 'use-ended-session' || kind === 'logout' ? ` ${textOf(input['session'])}` : '';
  const guest = input['guest'] === undefined ? '' : ` with the guest ${textOf(input['guest'])}`;
  const token = input['token'] === undefined ? '' : ` at ${textOf(input['token'])}`;
  return `${kind}${session}${item}${quantity}${name}${key}${guest}${token}${observed}${input['final'] === true ? ', last' : ''}`;
}

function answerOf({ outcome, error, output, invokedAtMs, completedAtMs }: Operation): string {
  if (outcome !== 'ok') return `${outcomeWords[outcome]}${error === undefined ? '' : ` (${error})`}`;
  if (Array.isArray(output?.['dots'])) {
    const lines = (output['lines'] as ShownLine[]).map(({ productId, quantity }) => `${productId} ${quantity}`).join(', ');
    return `${lines || 'empty'} [${few(output['dots'] as string[])}]${output['stale'] === true ? ' stale' : ''}`;
  }
  if (typeof output?.['orderId'] === 'string') return `${textOf(output['status'])} ${output['orderId']}, total ${String(output['total'])}`;
  if (typeof output?.['stock'] === 'number') return `${output['stock']} in stock`;
  const token = textOf(output?.['token']);
  return `ok in ${((completedAtMs ?? invokedAtMs) - invokedAtMs).toFixed(1)} ms${token === '' ? '' : ` at ${token}`}`;
}

const few = (dots: readonly string[]): string =>
  dots.length > dotCountMax ? `${dots.slice(0, dotCountMax).join(' ')} ... ${dots.length} in all` : dots.join(' ');

/** Commands that were sent again under the same id, and answered well. */
export const repeatLines = (repeats: Repeats): string[] =>
  (Object.keys(repeatKinds) as RepeatKind[]).map((kind) => `repeated ${String(repeats[kind]).padStart(5)} times ${repeatKinds[kind]}`);

/** The whole verdict with an example of each kind, for a log. */
export function report(
  {
    anomalies,
    counts,
    visibleMs,
    repeats,
  }: {
    anomalies: readonly Anomaly[];
    counts: Readonly<Record<string, number>>;
    visibleMs: { count: number; unseen: number; p50: number; p99: number; max: number };
    repeats: Repeats;
  },
  history: History,
): string {
  const examples = [...Map.groupBy(anomalies, ({ kind }) => kind).values()].map(([first]) => explain(first!, history));
  const ops = Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`);
  const visible = `visible after ${visibleMs.p50.toFixed(1)} ms (p50), ${visibleMs.p99.toFixed(1)} (p99), ${visibleMs.max.toFixed(1)} (max) of ${visibleMs.count}, ${visibleMs.unseen} more not seen within their looks`;
  return [
    `seed ${history.seed}: ${anomalies.length === 0 ? 'nothing found' : `${anomalies.length} anomalies`}`,
    ops.join(', '),
    visible,
    ...repeatLines(repeats),
    ...examples,
  ].join('\n');
}
