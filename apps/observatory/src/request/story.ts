/** A request told in two sentences. Every word of them comes from spans: what they do not say is not said. */
import { type ErrorCode, errorTable, observed } from '@cloakroom/contracts';
import type { LaneView, PathStep, RequestSummary } from '../api.ts';
import { actions } from './actions.ts';
import { topicNames, textOf } from './lanes.ts';
import { isAside, type Node } from './tree.ts';

export interface Told {
  readonly summary: RequestSummary;
  /** When the gateway had sent the answer: before a page had it. */
  readonly answerMs: number;
  readonly tree: Node;
  readonly nodes: readonly Node[];
  readonly lanes: readonly LaneView[];
  readonly path: readonly PathStep[];
}

export function tellStory(told: Told): string[] {
  return [whatHappened(told), whatFollowed(told)];
}

function whatHappened({ summary, nodes, tree, path, lanes }: Told): string {
  const { name, status, durationMs } = summary;
  const { tried, done } = actions[name] ?? { tried: name, done: `${name} was answered` };
  const answered = `after ${inMs(durationMs)}`;
  const waited = largestShare(path, lanes);
  if (status === undefined) return `${name} took ${inMs(durationMs)}${waited}.`;
  if (status < 400) return `${done}: the answer ${status} came ${answered}${waited}.`;
  const code = failureOf(nodes, tree);
  const because = code === undefined ? '' : ` ${code}`;
  const verb = status >= 500 ? 'failed with' : 'was refused with';
  return `${tried} ${verb} ${status}${because} ${answered}${code === undefined ? '' : textOfCode(code)}${waited}.`;
}

/** The code of docs/errors.md that the first failing call ended with. Every hop repeats it. */
function failureOf(nodes: readonly Node[], tree: Node): string | undefined {
  return nodes.find(({ span, startMs }) => span.failure !== undefined && startMs <= tree.endMs && span.failure in errorTable)?.span.failure;
}

const textOfCode = (code: string): string => ` (“${errorTable[code as ErrorCode].text}”)`;

/** Pieces of one kind are added up: a hop's own work lies around each of its calls. */
function largestShare(path: readonly PathStep[], lanes: readonly LaneView[]): string {
  const shares = new Map<string, number>();
  for (const step of path) {
    const what = words(step, lanes);
    shares.set(what, (shares.get(what) ?? 0) + step.share);
  }
  const [what, share] = [...shares].reduce((best, one) => (one[1] > best[1] ? one : best), ['', 0]);
  return what === '' ? '' : `, and ${Math.round(share * 100)} % of that was ${what}`;
}

function words({ kind, name, lane }: PathStep, lanes: readonly LaneView[]): string {
  const title = lanes.find(({ id }) => id === lane)?.title ?? lane;
  if (kind === 'way there' || kind === 'way back' || kind === 'untold') return name;
  if (kind === 'own') return `${title}’s own work around its calls`;
  return `“${name}” in ${title}`;
}

/** Something may have gone on after the answer: through outbox and logs, to a page that is open elsewhere. */
function whatFollowed({ nodes, answerMs }: Told): string {
  const told = nodes.filter(isLiveEvent);
  const own = nodes.find((node) => !isLiveEvent(node) && sessionOf(node) !== '');
  // The page of another session is the news: the one that asked knows already.
  const elsewhere = own === undefined ? [] : told.filter((node) => sessionOf(node) !== '' && sessionOf(node) !== sessionOf(own));
  const heard = first(elsewhere) ?? first(told);
  if (heard === undefined) {
    const untilMs = nodes.filter(isAside).reduce((latest, { endMs }) => Math.max(latest, endMs), 0);
    if (untilMs <= answerMs) return 'Nothing came after the answer.';
    return `Work that it caused went on until ${inMs(untilMs)} after its start, and no open page was told of it.`;
  }
  const device = textOf(heard.span.attributes[observed.device]);
  const page = `an open page${elsewhere.includes(heard) ? ' of another session' : ''}${device === '' ? '' : ` (${device})`}`;
  const way = topicsAbove(heard);
  const through = way.length === 0 ? '' : ` through ${way.join(' and ')}`;
  const readAgain = first(nodes.filter((node) => isUnder(node, heard) && node.span.attributes['http.request.method'] !== undefined));
  const seen = readAgain === undefined ? '' : `, and a page that read again had the outcome at ${inMs(readAgain.endMs)}`;
  const when = heard.startMs <= answerMs ? 'even before the answer' : 'after the answer';
  return `It reached ${page}${through} ${inMs(heard.startMs)} after its start, ${when}${seen}.`;
}

export const isLiveEvent = ({ span }: Node): boolean => span.name.startsWith('live event ');
const sessionOf = ({ span }: Node): string => textOf(span.attributes[observed.session]);

const first = (nodes: readonly Node[]): Node | undefined =>
  nodes.reduce<Node | undefined>((best, node) => (best === undefined || node.startMs < best.startMs ? node : best), undefined);

/** The topics that the cause went through, in order. */
function topicsAbove(node: Node): string[] {
  const found: string[] = [];
  for (let at = node.parent; at !== undefined; at = at.parent) {
    const topic = textOf(at.span.attributes['messaging.destination.name']);
    if (topicNames.includes(topic) && !found.includes(topic)) found.unshift(topic);
  }
  return found;
}

function isUnder(node: Node, above: Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) if (at === above) return true;
  return false;
}

const inMs = (ms: number): string => `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
