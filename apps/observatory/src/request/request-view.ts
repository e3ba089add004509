/** A request as the page shows it, made from the spans of its trace. Pure: the same spans make the same view. */
import { observed } from '@cloakroom/contracts';
import type { PathStep, RequestSummary, RequestView, SpanView } from '../api.ts';
import type { SpanContext, StoredSpan } from '../span.ts';
import { criticalPath, type Step, unattributedPart } from './critical-path.ts';
import { faultWaitsOf } from './fault-waits.ts';
import { budgetOf, decisionOf, identityOf } from './identity.ts';
import { calledService, lanesOf, textOf } from './lanes.ts';
import { isPage, underTheirPages } from './page-spans.ts';
import { relatedTo } from './related.ts';
import { isLiveEvent, tellStory } from './story.ts';
import { isAside, type Node, treeOf, walk } from './tree.ts';

/**
 * One line of the list.
 * @param told spans of one trace, in any order
 * @returns undefined where no request to a gateway is in it: a batch of several traces has a trace of its own
 */
export function summarise(told: readonly StoredSpan[]): RequestSummary | undefined {
  const spans = underTheirPages(told);
  const root = rootOf(spans);
  if (root === undefined || gatewaySpanOf(spans, root) === undefined) return undefined;
  const tree = treeOf(root, spans);
  return summaryOf(tree, spans, lanesOf(walk(tree)).laneOf);
}

/**
 * The whole request, with the batches that served it.
 * @param told spans of one trace, in any order. A trace without a request is shown from its first span on.
 */
export function viewRequest(told: readonly StoredSpan[], context: SpanContext): RequestView | undefined {
  const spans = underTheirPages(told);
  const root = rootOf(spans);
  if (root === undefined) return undefined;
  const { related, served } = relatedTo(spans, context);
  const all = [...spans, ...served];
  const tree = treeOf(root, all);
  const nodes = [...walk(tree)];
  const { lanes, laneOf } = lanesOf(nodes);
  const steps = criticalPath(tree);
  const summary = summaryOf(tree, all, laneOf);
  const answerMs = answerIn(nodes, gatewaySpanOf(all, tree.span)) ?? tree.endMs;
  const path = steps.map((step) => stepView(step, laneOf, summary.durationMs));
  return {
    ...summary,
    answerMs,
    story: tellStory({ summary, answerMs, tree, nodes, lanes, path }),
    lanes,
    spans: nodes.map((node) => spanView(node, { root: tree, answerMs, laneOf, path })).toSorted((a, b) => a.startMs - b.startMs),
    path,
    unattributedPart: unattributedPart(tree, steps),
    related,
  };
}

/** The first request that begins in this trace: the browser's span where there is one. Later ones are pages that read again. */
function rootOf(spans: readonly StoredSpan[]): StoredSpan | undefined {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const tops = spans.filter(({ parentId, spanId }) => parentId === undefined || parentId === spanId || !ids.has(parentId));
  return earliest(tops.filter((span) => gatewaySpanOf(spans, span) !== undefined)) ?? earliest(tops) ?? earliest(spans);
}

const earliest = (spans: readonly StoredSpan[]): StoredSpan | undefined =>
  spans.reduce<StoredSpan | undefined>((best, span) => (best === undefined || span.startMs < best.startMs ? span : best), undefined);

/** The gateway's span of the request that begins with `root`: itself, or the child of the browser's span. */
function gatewaySpanOf(spans: readonly StoredSpan[], root: StoredSpan): StoredSpan | undefined {
  if (isRequest(root)) return root;
  return earliest(spans.filter((span) => span.parentId === root.spanId && isRequest(span)));
}

const isRequest = ({ kind, attributes }: StoredSpan): boolean => kind === 'server' && attributes['http.request.method'] !== undefined;

function summaryOf(tree: Node, spans: readonly StoredSpan[], laneOf: ReadonlyMap<string, string>): RequestSummary {
  const root = tree.span;
  const gateway = gatewaySpanOf(spans, root);
  const nodes = [...walk(tree)];
  // Those who come later, such as the page that reads again, decided about themselves.
  const own = nodes.filter((node) => node.startMs <= tree.endMs);
  const told = <Value>(find: (span: StoredSpan) => Value | undefined): Value | undefined => {
    for (const { span } of own) {
      const value = find(span);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const status = gateway?.attributes['http.response.status_code'];
  return {
    traceId: root.traceId,
    name: gateway?.name ?? root.name,
    status: typeof status === 'number' ? status : undefined,
    startedAtMs: root.startMs,
    durationMs: tree.endMs,
    settledMs: nodes.reduce((latest, { endMs }) => Math.max(latest, endMs), tree.endMs),
    toldPage: nodes.some(isLiveEvent),
    decision: told((span) => decisionOf(span)?.decision),
    subject: told((span) => textOf(span.attributes[observed.subject]) || undefined),
    experiment: told((span) => textOf(span.attributes[observed.experiment]) || undefined),
    gateway: gateway === undefined ? '' : (laneOf.get(gateway.spanId) ?? ''),
  };
}

/** The gateway's span ends with the answer. The page's span above it ends when the page had it. */
const answerIn = (nodes: readonly Node[], gateway: StoredSpan | undefined): number | undefined =>
  nodes.find(({ span }) => span.spanId === gateway?.spanId)?.endMs;

interface Around {
  readonly root: Node;
  readonly answerMs: number;
  readonly laneOf: ReadonlyMap<string, string>;
  readonly path: readonly PathStep[];
}

function spanView(node: Node, { root, answerMs, laneOf, path }: Around): SpanView {
  const { span, startMs, endMs } = node;
  const pathMs = path.reduce((sum, step) => (step.spanId === span.spanId ? sum + step.durationMs : sum), 0);
  return {
    spanId: span.spanId,
    parentId: node.parent?.span.spanId,
    lane: laneOf.get(span.spanId) ?? '',
    name: span.name,
    startMs,
    durationMs: endMs - startMs,
    afterAnswer: startMs >= answerMs && isAside(node),
    waited: node.waited,
    pathMs,
    failure: span.failure,
    identity: identityOf(span, isRequest(span) ? node.children.map((child) => child.span) : []),
    budget: budgetOf(span),
    log: logOf(span),
    faultWaits: faultWaitsOf(node, root.span.startMs),
    attributes: span.attributes,
  };
}

function logOf({ attributes }: StoredSpan): SpanView['log'] {
  const topic = textOf(attributes['messaging.destination.name']);
  if (topic === '') return undefined;
  const partition = attributes['messaging.destination.partition.id'];
  const offset = attributes['messaging.kafka.offset'];
  return {
    topic,
    partition: partition === undefined || !Number.isInteger(Number(partition)) ? undefined : Number(partition),
    offset: offset === undefined ? undefined : String(offset),
  };
}

function stepView(step: Step, laneOf: ReadonlyMap<string, string>, durationMs: number): PathStep {
  const { node, startMs, endMs } = step;
  return {
    spanId: node.span.spanId,
    lane: laneOf.get(node.span.spanId) ?? '',
    name: stepName(step),
    startMs,
    durationMs: endMs - startMs,
    share: (endMs - startMs) / durationMs,
    kind: step.kind,
  };
}

function stepName({ node: { span }, kind }: Step): string {
  const called = calledService(span) ?? 'the gateway';
  if (kind === 'way back' && isPage(span)) return `${called}’s answer on its way back, until the page showed it`;
  if (kind === 'way there') return `on the way to ${called}`;
  if (kind === 'way back') return `on the way back from ${called}`;
  if (kind === 'untold') return `waiting for ${called}, which told nothing`;
  return span.attributes['rpc.method'] === undefined ? span.name : span.name.slice(span.name.lastIndexOf('/') + 1);
}
