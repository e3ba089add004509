/** Counts answers, and says in a line how the shop does: since the last line, and as a whole. */
import { build, type Histogram } from 'hdr-histogram-js';
import type { ShopTransport } from '@cloakroom/testing';

type Answer = Awaited<ReturnType<ShopTransport['call']>>;

export interface Tally {
  readonly answered: number;
  note(answer: Answer, tookMs: number): void;
  /** Tells what happened since the last line; the next one begins anew. */
  line(): string;
  total(): string;
}

interface Count {
  readonly sinceMs: number;
  readonly took: Histogram;
  count: number;
  readonly refused: Map<string, number>;
}

/** @param nowMs monotonic */
export function openTally(nowMs: () => number): Tally {
  const begin = (): Count => ({ sinceMs: nowMs(), took: build({ numberOfSignificantValueDigits: 2 }), count: 0, refused: new Map() });
  const whole = begin();
  let recent = begin();
  return {
    get answered() {
      return whole.count;
    },
    note(answer, tookMs) {
      const refusal = refusalOf(answer);
      for (const count of [whole, recent]) {
        if (refusal !== undefined) count.refused.set(refusal, (count.refused.get(refusal) ?? 0) + 1);
        if (answer.status === 0) continue;
        count.count += 1;
        // Microseconds: a histogram holds whole numbers.
        count.took.recordValue(Math.max(1, Math.round(tookMs * 1000)));
      }
    },
    line() {
      const said = `${clockOf(nowMs() - whole.sinceMs)}  ${wordsOf(recent, nowMs())}`;
      recent = begin();
      return said;
    },
    total: () => `in all: ${whole.count} answers in ${clockOf(nowMs() - whole.sinceMs)}, ${wordsOf(whole, nowMs())}`,
  };
}

/** @returns "409 out_of_stock"; undefined for a good answer */
function refusalOf({ status, body, error }: Answer): string | undefined {
  if (status === 0) return `no answer (${error ?? 'lost'})`;
  if (status < 400) return undefined;
  const { code } = (typeof body === 'object' && body !== null ? body : {}) as { code?: unknown };
  return typeof code === 'string' ? `${status} ${code}` : String(status);
}

function wordsOf({ sinceMs, took, count, refused }: Count, nowMs: number): string {
  const perSecond = (count / Math.max(nowMs - sinceMs, 1)) * 1000;
  const ms = (percentile: number) => `${Math.round(took.getValueAtPercentile(percentile) / 100) / 10} ms`;
  const times = count === 0 ? 'no answers' : `p50 ${ms(50)}  p99 ${ms(99)}`;
  const by = [...refused].toSorted(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}x`);
  return `${perSecond.toFixed(1).padStart(5)} requests/s  ${times}  refused: ${by.join(', ') || 'none'}`;
}

function clockOf(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
