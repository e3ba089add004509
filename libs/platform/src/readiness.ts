/**
 * The content of /readyz. A part that is stuck is reported in words. The process is "not ready" only where another replica could serve in its place.
 * Some failures hit all replicas alike, such as an absent log or a relay that cannot publish. "Not ready" would then stop what still works without
 * it.
 */
/** A part that readiness depends on: `ok`, and details for a person (a cluster id, a run id, a lag). */
export interface PartStatus {
  readonly ok: boolean;
  /** The part's fault, in words. The process serves without the part. */
  readonly degraded?: string | undefined;
  readonly [detail: string]: unknown;
}

export type Readiness = Readonly<Record<string, PartStatus>>;

/** Longer than every time-out and retry that heals by itself. With a second-old look it stays below the 10 s in which a fault must be reported. */
export const stuckAfterMs = 5_000;
/** How long a process that has just started may wait for its initial reading before it serves without it. */
export const startingMaxMs = 10_000;

/**
 * How long /readyz waits for one part. The gateway and other callers want the whole answer within 500 ms. This is shorter, so that the words about a
 * hung part still arrive. It is a hundred times the answer time of a healthy part.
 */
export const lookMaxMs = 300;

/** A part's own report; `otherwise` when it fails, or is later than that. */
export async function lookWithin<Value>(look: Promise<Value>, otherwise: Value, maxMs = lookMaxMs): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Value>((resolve) => (timer = setTimeout(() => resolve(otherwise), maxMs)));
  return Promise.race([look.catch(() => otherwise), late]).finally(() => clearTimeout(timer));
}

/** The answer of /readyz: ready when every part is ok. */
export function readinessAnswer(parts: Readiness): {
  readonly status: 200 | 503;
  readonly body: { readonly ready: boolean; readonly degraded: readonly string[]; readonly parts: Readiness };
} {
  const ready = Object.values(parts).every((part) => part.ok);
  const degraded = Object.entries(parts).flatMap(([name, part]) => (part.degraded === undefined ? [] : [`${name}: ${part.degraded}`]));
  return { status: ready ? 200 : 503, body: { ready, degraded, parts } };
}

export const seconds = (durationMs: number): string => `${Math.round(durationMs / 1000)} s`;

/** Fresh enough for a probe, and for a person. */
const lookWindowMs = 1_000;
/** A probe, Prometheus, a person and a test together ask less often than this. A caller that asks more often gets the last answer. */
const looksPerWindow = 10;

/** Makes a look cheap at any rate of calls: one at a time, and at most `looksPerWindow` a second. Other calls get the last look's answer. */
export function boundedLook<Answer>(look: () => Promise<Answer>, monotonicMs: () => number): () => Promise<Answer> {
  let last: Promise<Answer> | undefined;
  let looking = false;
  let windowFromMs = Number.NEGATIVE_INFINITY;
  let looks = 0;
  return () => {
    const nowMs = monotonicMs();
    if (nowMs - windowFromMs >= lookWindowMs) [windowFromMs, looks] = [nowMs, 0];
    if (last !== undefined && (looking || looks >= looksPerWindow)) return last;
    looks += 1;
    looking = true;
    last = look().finally(() => (looking = false));
    return last;
  };
}
