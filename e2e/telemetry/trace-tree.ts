/** Expected traces as an indented table, compared with what was exported. */
import type { ExportedSpan } from '../kit/span-sink.ts';

/** One row of the table: a span that must follow the nearest row above it with less indent. */
export interface Expected {
  readonly text: string;
  readonly name: string;
  readonly kind: string | undefined;
  /** The event's type of a publish, the group of a process. */
  readonly about: string | undefined;
  readonly followers: Expected[];
}

/**
 * `name (kind) [event type or consumer group]`, two spaces deeper than the row that it follows. The last two may be left out. A row that
 * begins with `native:` or `embedded:` is expected only of that provider, with all rows that follow it.
 */
export function readTable(table: string, provider: string): Expected {
  const path: { readonly depth: number; readonly row: Expected }[] = [];
  const rows = table.split('\n').filter((line) => line.trim() !== '');
  const first = rows[0]!.search(/\S/);
  let root: Expected | undefined;
  let leftOutBelow = Number.POSITIVE_INFINITY;
  for (const line of rows) {
    const depth = (line.search(/\S/) - first) / 2;
    if (depth > leftOutBelow) continue;
    leftOutBelow = Number.POSITIVE_INFINITY;
    const [, only, name, kind, about] = /^(?:(native|embedded): )?(.+?)(?: \((\w+)\))?(?: \[(.+)\])?$/.exec(line.trim())!;
    if (only !== undefined && only !== provider) {
      leftOutBelow = depth;
      continue;
    }
    const row: Expected = { text: line.trim(), name: name!, kind, about, followers: [] };
    while (path.length > 0 && path.at(-1)!.depth >= depth) path.pop();
    path.at(-1)?.row.followers.push(row);
    root ??= row;
    path.push({ depth, row });
  }
  return root!;
}

/**
 * The missing edges: for each branch the first row that no span fulfils. Empty when the whole table is there.
 * @param spans all exported spans, because a linked batch belongs to another trace
 */
export function missingEdges(root: Expected, traceId: string, spans: readonly ExportedSpan[]): string[] {
  const index = new Map(spans.map((span) => [span.spanId, span]));
  const starts = spans.filter((span) => span.traceId === traceId && fits(span, root));
  if (starts.length === 0) return [root.text];
  return fewest(starts.map((start) => missingBelow(root, start, spans, index)));
}

function missingBelow(
  row: Expected,
  span: ExportedSpan,
  spans: readonly ExportedSpan[],
  index: ReadonlyMap<string, ExportedSpan>,
): string[] {
  const before = standsFor(span, index);
  const next = spans.filter((one) => before.has(one.parentSpanId) || one.links.some(({ spanId }) => before.has(spanId)));
  return row.followers.flatMap((follower) => {
    const found = next.filter((one) => fits(one, follower));
    if (found.length === 0) return [`${row.text} -> ${follower.text}`];
    return fewest(found.map((one) => missingBelow(follower, one, spans, index)));
  });
}

/** A batch of several traces stands for each producer that it links: a record that is published because of another follows that record. */
function standsFor(span: ExportedSpan, index: ReadonlyMap<string, ExportedSpan>): Set<string> {
  const ids = new Set([span.spanId, ...span.links.map(({ spanId }) => spanId)]);
  const parent = index.get(span.parentSpanId);
  if (span.kind === 'consumer' && parent?.kind === 'consumer') for (const { spanId } of parent.links) ids.add(spanId);
  return ids;
}

const fits = (span: ExportedSpan, { name, kind, about }: Expected): boolean =>
  span.name === name &&
  (kind === undefined || span.kind === kind) &&
  (about === undefined || about === span.attributes['cloakroom.event.type'] || about === span.attributes['messaging.consumer.group.name']);

const fewest = (lists: readonly string[][]): string[] => lists.reduce((best, one) => (one.length < best.length ? one : best));

/** The whole trace, for the message of a failure. */
export function drawTrace(traceId: string, spans: readonly ExportedSpan[]): string {
  const own = spans.filter((span) => span.traceId === traceId || span.links.some((link) => link.traceId === traceId));
  const ids = new Set(own.map(({ spanId }) => spanId));
  const draw = (span: ExportedSpan, depth: number): string[] => {
    const about = span.attributes['cloakroom.event.type'] ?? span.attributes['messaging.consumer.group.name'];
    const text = `${'  '.repeat(depth)}${span.name} (${span.kind})${about === undefined ? '' : ` [${String(about)}]`}`;
    return [text, ...own.filter(({ parentSpanId }) => parentSpanId === span.spanId).flatMap((child) => draw(child, depth + 1))];
  };
  return own
    .filter(({ parentSpanId }) => !ids.has(parentSpanId))
    .flatMap((span) => draw(span, 0))
    .join('\n');
}
