/** The edges of the map: which process asked which in the last 10 s, how often, how long it took and how often it failed. */
import { observed } from '@cloakroom/contracts';
import type { EdgeView, TravelHopView } from '../api.ts';
import type { StoredSpan } from '../span.ts';
import { inRegion } from '../stack/name-on-map.ts';

export const edgeWindowMs = 10_000;

interface Asked {
  readonly durations: number[];
  failed: number;
}

/**
 * @param spans of at least the traces that got a span within the window
 * @param nameOf the process of the map that made a span
 */
export function edgesOf(spans: readonly StoredSpan[], nowMs: number, nameOf: (span: StoredSpan) => string): EdgeView[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const asked = new Map<string, Asked>();
  for (const span of spans) {
    if (span.endMs < nowMs - edgeWindowMs) continue;
    const edge = edgeOf(span, byId, nameOf);
    if (edge === undefined) continue;
    const key = edge.join('\n');
    const one = asked.get(key) ?? { durations: [], failed: 0 };
    asked.set(key, one);
    one.durations.push(Math.max(0, span.endMs - span.startMs));
    if (span.failure !== undefined) one.failed++;
  }
  return [...asked].map(([key, { durations, failed }]) => {
    const [from = '', to = ''] = key.split('\n');
    const count = durations.length;
    return { from, to, perSecond: (count * 1000) / edgeWindowMs, p99Ms: p99(durations), failedPart: failed / count };
  });
}

/** The longest request has about 80 spans, and half of them cross an edge. */
const hopCountMax = 120;

/**
 * The edges of the map that one request crossed, in the order of their beginnings.
 * @param spans of the request, and of the batches that carried it on
 */
export function hopsOf(spans: readonly StoredSpan[], nameOf: (span: StoredSpan) => string): TravelHopView[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const beganAtMs = Math.min(...spans.map(({ startMs }) => startMs));
  return spans
    .toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
    .flatMap((span) => {
      const [from, to] = edgeOf(span, byId, nameOf) ?? [];
      if (from === undefined || to === undefined) return [];
      return [{ from, to, startMs: span.startMs - beganAtMs, failed: span.failure !== undefined }];
    })
    .slice(0, hopCountMax);
}

/** Each question counts once: at its receiver where that makes a span, else at the asker. */
function edgeOf(
  span: StoredSpan,
  byId: ReadonlyMap<string, StoredSpan>,
  nameOf: (span: StoredSpan) => string,
): readonly [from: string, to: string] | undefined {
  const own = nameOf(span);
  if (span.kind === 'server') {
    const parent = span.parentId === undefined ? undefined : byId.get(span.parentId);
    const from = parent === undefined || parent.attributes[observed.device] !== undefined ? 'browser' : nameOf(parent);
    // A call whose asker is not known yet belongs to no edge; the gateways alone are asked by browsers.
    if (from === 'browser' && !own.startsWith('gateway')) return undefined;
    return from === own ? undefined : [from, own];
  }
  const log = inRegion('kafka', span.attributes);
  if (span.kind === 'producer') return [own, log];
  if (span.kind === 'consumer') return [log, own];
  const store = storeOf(span, own);
  return store === undefined ? undefined : [own, inRegion(store, span.attributes)];
}

function storeOf(span: StoredSpan, own: string): string | undefined {
  const system = span.attributes['db.system.name'];
  if (system === undefined) return undefined;
  if (system === 'redis') return own.startsWith('auth') ? 'redis-sessions' : 'redis-carts';
  return system === 'postgresql' ? 'postgres' : undefined;
}

function p99(durations: readonly number[]): number | undefined {
  const sorted = durations.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1];
}
