import type { RequestView } from '../../../src/api.ts';
import { ms } from '../words/numbers.ts';

/** When the gateway had answered, and when the page had the answer, where the page's own span tells it. */
export function answeredIn({ gateway, durationMs, spans }: Pick<RequestView, 'gateway' | 'durationMs' | 'spans'>): string {
  const first = spans.find(({ parentId }) => parentId === undefined);
  const own = spans.find(({ lane, parentId }) => lane === gateway && parentId === first?.spanId);
  const had = ms(durationMs);
  const answered = own === undefined ? had : ms(own.startMs + own.durationMs);
  return answered === had ? `${gateway} answered after ${had}` : `${gateway} answered after ${answered}, the page had it after ${had}`;
}
