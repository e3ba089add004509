/**
 * Traces that belong to a request beside its own. A batch of the log may serve many requests, and a span has one parent, so such a batch has a trace
 * of its own, with a link to each record's publish. A page that saw the outcome may link to the live event that told it.
 */
import type { RequestView } from '../api.ts';
import type { SpanContext, StoredSpan } from '../span.ts';

/** A busy log puts hundreds of requests into one batch. A list of all would bury the rest of the page. */
const relatedCountMax = 20;

type Related = RequestView['related'];

/** @returns `served`: spans of batches that handled a record of this trace, to be shown in it */
export function relatedTo(
  spans: readonly StoredSpan[],
  context: SpanContext,
): { readonly related: Related; readonly served: readonly StoredSpan[] } {
  const traceId = spans[0]?.traceId;
  if (traceId === undefined) return { related: [], served: [] };
  const related = new Map<string, string>();
  const add = (id: string, why: string): void => {
    if (id !== traceId && !related.has(id) && related.size < relatedCountMax) related.set(id, why);
  };
  const served: StoredSpan[] = [];
  for (const id of context.tracesThatLinkTo(traceId)) {
    const others = context.spansOf(id);
    const linking = others.filter(({ links }) => links.some((link) => link.traceId === traceId));
    const batch = linking.find(({ kind }) => kind === 'consumer');
    if (batch === undefined) {
      if (linking.length > 0) add(id, 'A page saw the outcome and asked again.');
      continue;
    }
    served.push(...asServing(others, traceId));
    add(id, batchWords(batch, traceId));
  }
  // The batch itself, and those that share it: a request that waits in one queue with many explains much of its time.
  for (const { links, kind } of [...spans, ...served])
    if (kind === 'consumer') for (const link of links) add(link.traceId, 'The same batch of the log served this request too.');
  return { related: [...related].map(([id, why]) => ({ traceId: id, why })), served };
}

function batchWords({ name, links }: StoredSpan, traceId: string): string {
  const others = new Set(links.map((link) => link.traceId).filter((id) => id !== traceId)).size;
  const what = `A batch (${name}) handled a record of this request`;
  return others === 0 ? `${what}.` : `${what}, together with ${others} other request${others === 1 ? '' : 's'}.`;
}

/** The batch follows the record of this trace, so that one link comes first. */
const asServing = (spans: readonly StoredSpan[], traceId: string): StoredSpan[] =>
  spans.map((span) => ({ ...span, links: span.links.toSorted((a, b) => Number(b.traceId === traceId) - Number(a.traceId === traceId)) }));
