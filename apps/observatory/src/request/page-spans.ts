/**
 * The browser's part of a trace. A page makes up the id of its span, sends it as parent with its request, and tells the times afterwards. So the span
 * that tells the times has an id of its own, and names the one that the gateway's span follows. Here the two become one tree.
 */
import { observed } from '@cloakroom/contracts';
import type { StoredSpan } from '../span.ts';

/** @returns the same spans; a request that a page sent follows the page's span */
export function underTheirPages(spans: readonly StoredSpan[]): readonly StoredSpan[] {
  const pages = spans.filter(isPage);
  if (pages.length === 0) return spans;
  return spans.map((span) => {
    if (span.kind !== 'server' || span.parentId === undefined) return span;
    const page = nearest(
      span,
      pages.filter((one) => sentAs(one) === span.parentId),
    );
    return page === undefined ? span : { ...span, parentId: page.spanId };
  });
}

export const isPage = ({ attributes }: StoredSpan): boolean => typeof attributes[observed.browserSpan] === 'string';

const sentAs = ({ attributes }: StoredSpan): unknown => attributes[observed.browserSpan];

/** A page that reads again continues the trace of the live event, and may do so twice: the span that began last before the request sent it. */
function nearest(span: StoredSpan, pages: readonly StoredSpan[]): StoredSpan | undefined {
  const byStart = pages.toSorted((a, b) => a.startMs - b.startMs);
  return byStart.findLast(({ startMs }) => startMs <= span.startMs) ?? byStart[0];
}
