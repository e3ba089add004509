/**
 * What /readyz says. A part that is stuck is told in words. The process is "not ready" only where another replica could serve in its place:
 * what all of them lack alike (a log that is away, a relay that cannot publish) would otherwise end what still works without it.
 */
/** A part that readiness depends on: `ok` and what a person should know of it (a cluster id, a run id, a lag). */
export interface PartStatus {
  readonly ok: boolean;
  /** It does not do its work, in words; the process serves without it. */
  readonly degraded?: string | undefined;
  readonly [detail: string]: unknown;
}

export type Readiness = Readonly<Record<string, PartStatus>>;

/** Above every time-out and retry that heals by itself; with a look that is a second old it stays below the 10 s in which it must be told. */
export const stuckAfterMs = 5_000;
/** How long a process that has just started may wait for what it is to read before it serves without it. */
export const startingMaxMs = 10_000;

/**
 * How long /readyz waits for one part that it asks about. Below the 500 ms in which a gateway and others that ask want the whole answer, so that
 * the words about a part that hangs arrive; a hundred times what a healthy one takes.
 */
export const lookMaxMs = 300;

/** What a part tells of itself; `otherwise` when it fails, or is later than that. */
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

/** Fresh enough for a probe, and for a person who looks at it. */
const lookWindowMs = 1_000;
/** A probe, Prometheus, a person and a test ask less often than this together; whoever asks more often gets the last answer. */
const looksPerWindow = 10;

/** Makes a look cheap however often it is asked for: one at a time, and at most `looksPerWindow` a second; otherwise the last one's answer. */
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
