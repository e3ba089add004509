/**
 * Time on two scales. What the person waited for gets most of the width; what came after the answer gets the rest, however long it took. On one
 * scale a log that takes a second would press the request itself into a few pixels.
 */

export interface Tick {
  readonly ms: number;
  readonly x: number;
}

export interface Scale {
  /** Where the drawing of time begins, where the answer stands, and where it ends. */
  readonly startX: number;
  readonly answerX: number;
  readonly endX: number;
  readonly hasAfter: boolean;
  readonly ticks: readonly Tick[];
  x(ms: number): number;
}

export interface Times {
  /** Below 0 where a browser's clock differs from the gateway's. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly settledMs: number;
}

/** The part of the width for what came after the answer. */
const afterPart = 0.36;
/** Below this, nothing that a person would call later happened after the answer. */
const afterMinMs = 0.5;
const tickGapPx = 76;

export function twoScales({ startMs, durationMs, settledMs }: Times, startX: number, endX: number): Scale {
  const hasAfter = settledMs - durationMs > afterMinMs;
  const answerX = hasAfter ? startX + (endX - startX) * (1 - afterPart) : endX;
  const answerMs = Math.max(durationMs, startMs + 0.001);
  const x = (ms: number): number => {
    if (ms <= answerMs || !hasAfter) return startX + ((clamp(ms, startMs, answerMs) - startMs) / (answerMs - startMs)) * (answerX - startX);
    return answerX + ((clamp(ms, answerMs, settledMs) - answerMs) / (settledMs - answerMs)) * (endX - answerX);
  };
  const before = ticksBetween(startMs, answerMs, answerX - startX).map((ms) => ({ ms, x: x(ms) }));
  const after = hasAfter ? ticksBetween(answerMs, settledMs, endX - answerX).map((ms) => ({ ms, x: x(ms) })) : [];
  const answer = { ms: durationMs, x: answerX };
  const apart = (tick: Tick): boolean => Math.abs(tick.x - answerX) > tickGapPx * 0.8 && tick.x <= endX - 4;
  return { startX, answerX, endX, hasAfter, x, ticks: [...before.filter(apart), answer, ...after.filter(apart)] };
}

/** Round numbers: steps of 1, 2 or 5 times a power of ten. */
function ticksBetween(fromMs: number, toMs: number, widthPx: number): number[] {
  const step = roundStep((toMs - fromMs) / Math.max(1, widthPx / tickGapPx));
  const first = Math.ceil(fromMs / step);
  const last = Math.floor(toMs / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-6)));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least) ?? 10;
  return factor * power;
}

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max);
