/** The lifeline of one session, out of the spans that name its handle: who decided about it, when, and how. */
import { observed } from '@cloakroom/contracts';
import type { SessionEndView, SessionListView, SessionStepView } from '../api.ts';
import type { StoredSpan } from '../span.ts';

/** As many as a page can show. The newest count. */
const stepCountMax = 500;

export function sessionSteps(spans: readonly StoredSpan[], handle: string, nameOf: (span: StoredSpan) => string): SessionStepView[] {
  const own = spans.filter((span) => sessionsIn(span).includes(handle));
  const requests = spans.filter(isRequest);
  const byId = new Map(requests.map((span) => [idOf(span), span.name]));
  // A page that read again is a second request of the same trace, so a parent knows better than the trace.
  const byTrace = new Map(requests.toSorted((a, b) => b.startMs - a.startMs).map(({ traceId, name }) => [traceId, name]));
  return own
    .toSorted((a, b) => a.startMs - b.startMs)
    .slice(-stepCountMax)
    .map((span) => stepOf(span, nameOf(span), byId.get(idOf(span, span.parentId)) ?? byTrace.get(span.traceId)));
}

const isRequest = ({ kind, attributes }: StoredSpan): boolean => kind === 'server' && attributes['http.route'] !== undefined;
const idOf = ({ traceId, spanId }: StoredSpan, id = spanId): string => `${traceId} ${id}`;

/** The stopwatch of a session's end, out of the trace of the request that ended it. */
export function sessionEnd(spans: readonly StoredSpan[], handle: string, nameOf: (span: StoredSpan) => string): SessionEndView | undefined {
  const own = spans.filter(({ attributes }) => attributes[observed.session] === handle);
  const heard = spans.filter((span) => endedIn(span).has(handle));
  // A batch that several requests filled has a trace of its own. So it says by itself which of them ended which session.
  const traceId = heard[0] && (endedIn(heard[0]).get(handle) ?? heard[0].traceId);
  const answered = spans.find((span) => span.traceId === traceId && isRequest(span));
  if (traceId === undefined || answered === undefined) return undefined;
  const afterMs = (ms: number): number => ms - answered.endMs;
  const [last] = own.filter((span) => isAcceptance(span) && span.startMs > answered.endMs).toSorted((a, b) => b.startMs - a.startMs);
  return {
    atMs: answered.endMs,
    traceId,
    heard: heard.toSorted((a, b) => a.endMs - b.endMs).map((span) => ({ place: nameOf(span), afterMs: afterMs(span.endMs) })),
    lastAccepted: last && { place: nameOf(last), name: last.name, afterMs: afterMs(last.startMs) },
  };
}

/** The sessions that a process heard in this span to be over, each with the trace of the request that ended it, where the span says it. */
export function endedIn({ attributes }: StoredSpan): ReadonlyMap<string, string | undefined> {
  const told = attributes[observed.sessionsEnded];
  if (typeof told !== 'string')
    return new Map(attributes[observed.sessionEnded] === true ? [[String(attributes[observed.session]), undefined]] : []);
  return new Map(
    told
      .split(', ')
      .map((each) => each.split(' ') as [string, string?])
      .map(([handle, traceId]) => [handle, traceId]),
  );
}

/** All sessions that the span is about. */
export function sessionsIn(span: StoredSpan): string[] {
  const one = span.attributes[observed.session];
  return [...new Set([...(one === undefined ? [] : [String(one)]), ...endedIn(span).keys()])];
}

/** Something believed the session: a gateway that identified it, or a service that was shown its passport. */
const isAcceptance = ({ attributes }: StoredSpan): boolean =>
  attributes[observed.refusal] === undefined &&
  attributes[observed.sessionEnded] === undefined &&
  (attributes['cloakroom.identity.decision'] !== undefined || attributes[observed.credential] !== undefined) &&
  attributes['cloakroom.identity.decision'] !== 'ended';

/** Sessions of one trainee, as many as a page can offer. */
const sessionCountMax = 12;

/**
 * The sessions of the trainee's requests, and those that one of these requests ended, the last used first. What is newest about one counts: a
 * guest's session becomes a user's.
 */
export function sessionsOf(spans: readonly StoredSpan[], experiment: string): SessionListView['sessions'] {
  const isMine = ({ attributes }: StoredSpan): boolean => attributes[observed.experiment] === experiment;
  const traces = new Set(spans.filter(isMine).map(({ traceId }) => traceId));
  const ends = spans.flatMap((span) => [...endedIn(span)].map(([handle, traceId = span.traceId]) => ({ handle, traceId })));
  const endedByMe = ends.filter(({ traceId }) => traces.has(traceId)).map(({ handle }) => handle);
  const ended = new Set(ends.map(({ handle }) => handle));
  const own = spans.filter(isMine).map(({ attributes }) => attributes[observed.session]);
  const handles = new Set([...own, ...endedByMe].filter((handle) => handle !== undefined));
  const about = spans.filter(({ attributes }) => handles.has(attributes[observed.session] as string));
  const newestFirst = about.toSorted((a, b) => b.startMs - a.startMs);
  const byHandle = Map.groupBy(newestFirst, ({ attributes }) => String(attributes[observed.session]));
  return [...byHandle].slice(0, sessionCountMax).map(([handle, own]) => {
    const newest = (key: string): string | undefined =>
      own.map(({ attributes }) => attributes[key]).find((value) => value !== undefined) as string | undefined;
    const subject = newest(observed.subject);
    return {
      handle,
      subject,
      mode: newest(observed.mode),
      home: homeOf(own, handle),
      lastAtMs: own[0]!.startMs,
      ended: ended.has(handle),
      becameHandle: subject?.startsWith('g_') === true ? userAfter(spans, handle, ends) : undefined,
    };
  });
}

/** The region whose auth looked the session up in its own store; undefined where there is one region, and where no such span is kept. */
export const homeOf = (spans: readonly StoredSpan[], handle: string): string | undefined =>
  spans.find(({ attributes }) => attributes[observed.session] === handle && attributes[observed.sessionTag] !== undefined)?.attributes[
    observed.region
  ] as string | undefined;

/** The session of the sign-in that ended the guest's one. */
function userAfter(
  spans: readonly StoredSpan[],
  guest: string,
  ends: readonly { readonly handle: string; readonly traceId: string }[],
): string | undefined {
  const traces = new Set(ends.flatMap(({ handle, traceId }) => (handle === guest ? [traceId] : [])));
  const begun = spans.find(
    ({ traceId, attributes }) =>
      traces.has(traceId) && attributes[observed.session] !== guest && String(attributes[observed.subject]).startsWith('u_'),
  );
  return begun?.attributes[observed.session] as string | undefined;
}

function stepOf({ attributes, ...span }: StoredSpan, place: string, request: string | undefined): SessionStepView {
  const text = (key: string): string | undefined => (attributes[key] === undefined ? undefined : String(attributes[key]));
  const leaseAgeMs = attributes[observed.leaseAgeMs];
  return {
    atMs: span.startMs,
    durationMs: span.endMs - span.startMs,
    traceId: span.traceId,
    spanId: span.spanId,
    place,
    name: span.name,
    request,
    decision: text('cloakroom.identity.decision'),
    mode: text(observed.mode),
    subject: text(observed.subject),
    refusal: text(observed.refusal),
    leaseAgeMs: typeof leaseAgeMs === 'number' ? leaseAgeMs : undefined,
  };
}
