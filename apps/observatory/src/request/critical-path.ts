/**
 * The critical path of a request: the chain of work that its answer waited for. Shorten a step of it, and the answer comes sooner; shorten anything
 * else, and it does not.
 *
 * It is found from the end, as critical path tracing does (Google, "Distributed Latency Profiling through Critical Path Tracing", ACM Queue 2022;
 * Uber's CRISP, USENIX ATC 2022). The answer left when the last child had ended, so that child was waited for. Its time is explained the same way.
 * From its start one looks back for the last child that had ended by then, and so on. Where no child had ended, the span itself was at work. A child
 * that still ran at such a moment ran beside the path.
 *
 * The steps follow each other without gap or overlap, so their sum is the time until the answer.
 */
import type { PathStep } from '../api.ts';
import { isCallPair, type Node, slackOf } from './tree.ts';

export interface Step {
  readonly node: Node;
  readonly startMs: number;
  readonly endMs: number;
  readonly kind: PathStep['kind'];
}

export function criticalPath(root: Node): Step[] {
  const backwards: Step[] = [];
  explain(root, root.endMs, backwards);
  return backwards.reverse();
}

/** Adds the steps of a span from its start until a moment, last first. */
function explain(node: Node, untilMs: number, steps: Step[]): void {
  const children = node.children.filter(({ waited }) => waited).toSorted((a, b) => b.endMs - a.endMs || b.startMs - a.startMs);
  let atMs = untilMs;
  let next = node;
  for (const child of children) {
    if (child.endMs > atMs + slackOf(next.span)) continue;
    const childUntilMs = Math.min(child.endMs, atMs);
    // A span without length made nobody wait.
    if (child.startMs >= childUntilMs) continue;
    addStep(node, childUntilMs, atMs, steps);
    explain(child, childUntilMs, steps);
    atMs = child.startMs;
    next = child;
  }
  addStep(node, node.startMs, atMs, steps);
}

function addStep(node: Node, startMs: number, endMs: number, steps: Step[]): void {
  if (endMs > startMs) steps.push({ node, startMs, endMs, kind: kindOf(node, startMs) });
}

function kindOf(node: Node, startMs: number): PathStep['kind'] {
  const answering = node.children.filter((child) => isCallPair(node.span, child.span));
  if (answering.length > 0) {
    if (answering.every((child) => child.startMs > startMs)) return 'way there';
    // A page may send a second request before it shows anything.
    return answering.some((child) => child.startMs > startMs) ? 'own' : 'way back';
  }
  if (isCall(node)) return 'untold';
  return node.children.some(({ waited }) => waited) ? 'own' : 'work';
}

/** A call to another process of the shop. Stores are asked by client spans too, but tell no spans of their own. */
const isCall = ({ span }: Node): boolean =>
  span.kind === 'client' && (span.attributes['rpc.method'] !== undefined || span.attributes['http.request.method'] !== undefined);

/**
 * The part of the answer's time that is known of nobody, 0 to 1: calls whose other side told nothing, and the time by which clocks on the path
 * contradict each other. The own time of a hop counts as known, as in CRISP: it is that hop's, though no span inside says what it did.
 */
export function unattributedPart(root: Node, steps: readonly Step[]): number {
  const lengthMs = root.endMs - root.startMs;
  if (lengthMs <= 0) return 0;
  const untoldMs = steps.filter(({ kind }) => kind === 'untold').reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const contradictionMs = [...new Set(steps.map(({ node }) => node))].reduce((sum, node) => sum + node.contradictionMs, 0);
  return Math.min(1, (untoldMs + contradictionMs) / lengthMs);
}
