/**
 * The spans of one request as a tree, with clocks put right, and with a word on each child: did its parent wait for it?
 *
 * Clocks. A span is timed by the wall clock of its process, at times in whole milliseconds alone. So a child may seem to begin before its parent, or
 * to end after it; on two machines, or in a browser, by more. An answer cannot come before its question. Therefore a span that its parent waited for
 * is moved into its parent by as little as that takes, and its own children move along.
 */
import type { StoredSpan } from '../span.ts';

/** A start in whole milliseconds was read from a clock that cuts off the fraction, so it may be later by up to this. */
const clockStepMs = 1;
/** Milliseconds since 1970 as a number are right to a quarter of a microsecond. This is well above it, and far below any work. */
const roundingMs = 0.01;

/** The most by which moments of these spans may seem out of order, though they are not. */
export const slackOf = (...spans: readonly StoredSpan[]): number =>
  spans.some(({ startMs }) => Number.isInteger(startMs)) ? clockStepMs : roundingMs;

export interface Node {
  readonly span: StoredSpan;
  readonly parent: Node | undefined;
  readonly children: Node[];
  /** From the request's start, put right. */
  startMs: number;
  endMs: number;
  /** Its parent could not go on before its end. Of the root: true. */
  waited: boolean;
  /** Milliseconds by which its clock contradicts that of its parent beyond the step of a clock. */
  contradictionMs: number;
}

/** @param spans in which a parent that is missing makes no root: only `root` and what follows it are in the tree */
export function treeOf(root: StoredSpan, spans: readonly StoredSpan[]): Node {
  const byParent = Map.groupBy(spans, (span) => parentIdOf(span) ?? '');
  const originMs = root.startMs;
  const seen = new Set<string>();
  const grow = (span: StoredSpan, parent: Node | undefined, shiftMs: number): Node => {
    seen.add(span.spanId);
    const node: Node = {
      span,
      parent,
      children: [],
      startMs: span.startMs - originMs + shiftMs,
      endMs: span.endMs - originMs + shiftMs,
      waited: true,
      contradictionMs: 0,
    };
    const moved = parent === undefined ? 0 : putRight(node, parent);
    const following = (byParent.get(span.spanId) ?? []).toSorted((a, b) => a.startMs - b.startMs);
    // A span whose parent is itself, or an id that comes twice, would never end.
    for (const child of following) if (!seen.has(child.spanId)) node.children.push(grow(child, node, shiftMs + moved));
    return node;
  };
  return grow(root, undefined, 0);
}

/** A batch of several traces has no parent: it follows the record that it links to. */
const parentIdOf = (span: StoredSpan): string | undefined => span.parentId ?? span.links[0]?.spanId;

/** Moves a child that was waited for into its parent. @returns by how much, for its own children */
function putRight(node: Node, parent: Node): number {
  const remote = isCallPair(parent.span, node.span);
  const slackMs = slackOf(parent.span, node.span);
  const beforeMs = parent.startMs - node.startMs;
  const afterMs = node.endMs - parent.endMs;
  node.waited = mayBeWaitedFor(node.span, parent.span);
  if (!node.waited) return 0;
  // Within a process a child that ends clearly later than its parent runs on by itself. Across two, their clocks differ.
  if (afterMs > slackMs && !remote) {
    node.waited = false;
    return 0;
  }
  const outsideMs = Math.max(beforeMs, afterMs);
  if (outsideMs <= 0) return 0;
  const longerMs = node.endMs - node.startMs - (parent.endMs - parent.startMs);
  const shiftMs = longerMs >= 0 ? beforeMs : beforeMs > 0 ? beforeMs : -afterMs;
  node.contradictionMs = Math.max(0, outsideMs - slackMs);
  node.startMs = Math.max(parent.startMs, node.startMs + shiftMs);
  node.endMs = Math.min(parent.endMs, node.endMs + shiftMs);
  return shiftMs;
}

/** The two sides of one call: the browser's and the gateway's, or the client's and the server's span of an rpc. */
export const isCallPair = (parent: StoredSpan, child: StoredSpan): boolean => parent.kind === 'client' && child.kind === 'server';

/**
 * Some work is caused by a span and never waited for by it: an outbox row is published later, a record is processed by another, a live event is
 * sent by the way, and a page reads again when it likes.
 */
function mayBeWaitedFor(child: StoredSpan, parent: StoredSpan): boolean {
  if (child.name.startsWith('outbox ') || child.name.startsWith('live event ')) return false;
  if (child.kind === 'consumer') return parent.kind === 'consumer' && child.parentId === parent.spanId;
  return parent.kind !== 'producer' || child.kind === 'internal';
}

/** The answer did not wait for it, nor for what caused it. */
export function isAside(node: Node): boolean {
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) if (!at.waited) return true;
  return false;
}

export function* walk(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) yield* walk(child);
}
