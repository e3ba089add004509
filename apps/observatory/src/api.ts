/** The answers of the Observatory's server to its page, as JSON. Times are milliseconds; instants are milliseconds since 1970, with fractions. */

import type { StackView } from './stack/stack-view.ts';

export type * from './stack/stack-view.ts';

/** An edge of the map: what one process asked of another in the last 10 s. */
export interface EdgeView {
  readonly from: string;
  readonly to: string;
  readonly perSecond: number;
  readonly p99Ms: number | undefined;
  readonly failedPart: number;
}

/** `GET /api/requests/:traceId/hops`: the edges of the map that one request crossed, by the spans that have come, in the order of their beginnings. */
export interface TravelHopView {
  readonly from: string;
  readonly to: string;
  /** From the request's start. */
  readonly startMs: number;
  readonly failed: boolean;
}

export interface RequestSummary {
  readonly traceId: string;
  /** "POST /api/session/login" */
  readonly name: string;
  readonly status: number | undefined;
  readonly startedAtMs: number;
  /** Until the answer. */
  readonly durationMs: number;
  /** From the start until the last thing that the request caused; equal to `durationMs` where nothing came after the answer. */
  readonly settledMs: number;
  /** An open page was told of its outcome, which may be before the answer. */
  readonly toldPage: boolean;
  /** hit, asked, joined ...; undefined where nobody asked who it was. */
  readonly decision: string | undefined;
  readonly subject: string | undefined;
  readonly experiment: string | undefined;
  readonly gateway: string;
}

export interface RequestView extends RequestSummary {
  /** When the gateway had sent its answer. A page that told its times had it later, at `durationMs`. */
  readonly answerMs: number;
  /** Two sentences in plain words: what happened, and what it means. */
  readonly story: readonly string[];
  /** In the order of first use, the browser first. */
  readonly lanes: readonly LaneView[];
  readonly spans: readonly SpanView[];
  /** In order of time, without gaps or overlaps, from the request's start to its answer. Their sum is `durationMs`. */
  readonly path: readonly PathStep[];
  /**
   * The part of the answer's time that is known of nobody, 0 to 1: calls whose other side told nothing, and time by which clocks contradict each
   * other. The own time of a hop is that hop's, and counts as known; steps of kind `own` say how much it is.
   */
  readonly unattributedPart: number;
  /** Further traces that belong to this one: batches that served it, and requests of pages that saw its outcome. */
  readonly related: readonly { readonly traceId: string; readonly why: string }[];
}

export interface LaneView {
  readonly id: string;
  /** "gateway-1", "Kafka", "cart · projector", "browser · Chrome on Linux" */
  readonly title: string;
  readonly kind: 'browser' | 'gateway' | 'service' | 'store' | 'log' | 'projector';
}

export interface SpanView {
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly lane: string;
  readonly name: string;
  /** From the request's start; negative where a clock differs. */
  readonly startMs: number;
  readonly durationMs: number;
  /** It began after the answer had been sent. */
  readonly afterAnswer: boolean;
  /** True where its parent could not go on before its end. Work that merely happened to end before the answer was not waited for. */
  readonly waited: boolean;
  /** Milliseconds of the critical path that were spent in this span itself. 0: it made nobody wait. */
  readonly pathMs: number;
  readonly failure: string | undefined;
  /** The person and the services that were believed here, and why; undefined where a span decides nothing. */
  readonly identity: IdentityView | undefined;
  readonly budget: { readonly leftMs: number; readonly ofMs: number } | undefined;
  readonly log: { readonly topic: string; readonly partition: number | undefined; readonly offset: string | undefined } | undefined;
  /** Waits that a fault made here, by the clock of the process that waited. From the request's start. */
  readonly faultWaits: readonly { readonly startMs: number; readonly durationMs: number }[];
  /** Further attributes, for those who want to see all. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface IdentityView {
  /** hit, asked, joined, degraded, refreshed, "passport verified", "signature of auth on the event" ... */
  readonly decision: string;
  readonly caller: string | undefined;
  readonly callerProof: string | undefined;
  readonly subject: string | undefined;
  readonly session: string | undefined;
  readonly mode: string | undefined;
  readonly credential: string | undefined;
  readonly credentialAgeMs: number | undefined;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly actors: string | undefined;
  readonly policy: string | undefined;
  readonly leaseAgeMs: number | undefined;
  readonly refusal: string | undefined;
}

export interface PathStep {
  readonly spanId: string | undefined;
  readonly lane: string;
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** A part of the request's time, 0 to 1. */
  readonly share: number;
  /**
   * - `work`: a span without children, which is one piece of work with a name.
   * - `own`: a hop's own code around such pieces, and its wait for a turn of its process.
   * - `way there`, `way back`: between the two sides of a call, where neither says to be at work.
   * - `untold`: a call waited, and the process that was asked told nothing.
   */
  readonly kind: 'work' | 'own' | 'way there' | 'way back' | 'untold';
}

/** `GET /api/forgeries`: what can be tried. Nothing of it comes from the page but the name. */
export interface ForgeryView {
  readonly name: string;
  /** "Another subject" */
  readonly title: string;
  /** One sentence about the forger's change to the passport. */
  readonly words: string;
  /** The rpc that it is sent to: "cart GetCart". */
  readonly sentTo: string;
}

/** `POST /api/forgeries/:name`: it was really sent to the service that runs. */
export interface ForgeryResult {
  readonly name: string;
  /** `later`: the forger has to wait for the end of a passport. `untried`: no forgery was sent, for the reason in `note`. */
  readonly outcome: 'refused' | 'accepted' | 'later' | 'untried';
  /** The code that came back: "invalid_passport". */
  readonly code: string | undefined;
  /** The check that refused it, in the service's own words: "the signature does not belong to these claims". Undefined where its span has not come. */
  readonly check: string | undefined;
  /** The file that holds this check. */
  readonly file: string;
  /** Header and claims as they were sent; the signature is never told. Undefined where no passport was sent. */
  readonly sent: { readonly header: Readonly<Record<string, unknown>>; readonly claims: Readonly<Record<string, unknown>> } | undefined;
  /** The claims before the forger changed them: those of its own throw-away account. */
  readonly genuine: Readonly<Record<string, unknown>> | undefined;
  /** The request to look at under /requests. */
  readonly traceId: string | undefined;
  readonly durationMs: number | undefined;
  readonly laterMs: number | undefined;
  readonly note: string | undefined;
}

/** The spans that are kept, and those that had no place since the start of this process. */
export interface KeptView {
  /** Requests, and batches of their own. */
  readonly traces: number;
  readonly spans: number;
  readonly bytes: number;
  readonly bytesMax: number;
  /** The oldest, which made room for newer ones. */
  readonly forgottenTraces: number;
  /** Spans beyond the most that one trace may have. */
  readonly leftOutSpans: number;
  /** Exports that were too large, or came while too many others were read. A sender tries again for a while. */
  readonly refusedExports: number;
}

/** A line of the live stream `GET /api/live` (newline-delimited JSON, because a page cannot send a bearer header with EventSource). */
export type LiveLine =
  | { readonly kind: 'request'; readonly request: RequestSummary }
  | { readonly kind: 'stack'; readonly stack: StackView; readonly edges: readonly EdgeView[]; readonly kept: KeptView }
  | { readonly kind: 'session'; readonly session: string }
  | { readonly kind: 'beat' };

/** Faults: shared with `npm run fault`, so they stand with the switches themselves. */
export type { FaultOn, FaultsView, FaultView, FaultWanted } from '@cloakroom/contracts';

export type * from './labs/lab-views.ts';

/**
 * `GET /api/blast-radius[?mine=ID]`: what docs/failures.md promises for each class of operation while this is broken, and what is observed. With
 * `mine`, faults of other trainees and their requests are left out.
 */
export interface BlastRadiusView {
  /** The parts of the failure matrix that are as good as gone, and why. None: everything is to work. */
  readonly gone: readonly { readonly part: string; readonly title: string; readonly why: string }[];
  /** Faults that are on and of which the matrix says nothing, because a part is only slow or held back, or one method fails. */
  readonly unpromised: readonly string[];
  readonly windowMs: number;
  readonly operations: readonly BlastOperation[];
}

export interface BlastOperation {
  /** "cart, write" */
  readonly title: string;
  /** "POST /api/cart/lines" */
  readonly request: string;
  /** In the words of docs/failures.md; several where it depends on the session's mode, or where several parts are gone. None: no promise. */
  readonly promises: readonly string[];
  /** undefined: nobody asked within the window. */
  readonly observed:
    | {
        readonly count: number;
        /** 0 to 1 */
        readonly successPart: number;
        readonly p99Ms: number;
        /** Codes of refusals, the most frequent first. */
        readonly refusals: readonly { readonly code: string; readonly count: number }[];
      }
    | undefined;
  /** false: a cell that does not do what is promised. undefined: nothing observed, or nothing promised. */
  readonly agrees: boolean | undefined;
}

export type {
  LeasesView,
  LeaseView,
  PartitionView,
  PlacesView,
  PrimaryKillView,
  ReaderView,
  ReadsView,
  SlotMoveView,
  SlotNodeView,
  SlotSessionView,
  SlotsView,
} from './places/places-view.ts';

export type { CartDevicesView, CartDeviceView, CartLogView, CartStepView } from './carts/cart-log-view.ts';

/** `GET /api/sessions/:handle`: what the kept spans say about one session, the oldest first. */
export interface SessionView {
  readonly handle: string;
  /** The region where it lives; undefined where there is one, and where nothing that is kept tells it. */
  readonly home?: string | undefined;
  readonly steps: readonly SessionStepView[];
  /** Undefined while it lives. */
  readonly end: SessionEndView | undefined;
}

/** A stopwatch that began when the request that ended the session was answered. Times are milliseconds after that, and may be negative. */
export interface SessionEndView {
  readonly atMs: number;
  readonly traceId: string;
  /** When each process had heard it from the revocation feed, the first one first. */
  readonly heard: readonly { readonly place: string; readonly afterMs: number }[];
  /** The last time that anything believed the session; undefined where nothing did after the answer. */
  readonly lastAccepted: { readonly place: string; readonly name: string; readonly afterMs: number } | undefined;
}

/** `GET /api/sessions?mine=ID`: the sessions that the trainee's requests used, the last used first. */
export interface SessionListView {
  readonly sessions: readonly {
    readonly handle: string;
    readonly subject: string | undefined;
    readonly mode: string | undefined;
    /** The region where it lives; undefined where there is one. */
    readonly home?: string | undefined;
    readonly lastAtMs: number;
    readonly ended: boolean;
    /** The user's session that a guest's sign-in began in its place. */
    readonly becameHandle: string | undefined;
  }[];
}

export interface SessionStepView {
  readonly atMs: number;
  readonly durationMs: number;
  readonly traceId: string;
  readonly spanId: string;
  /** The process of the map that decided or did it. */
  readonly place: string;
  readonly name: string;
  /** The request to a gateway in which it happened: "GET /api/cart". */
  readonly request: string | undefined;
  readonly decision: string | undefined;
  readonly mode: string | undefined;
  readonly subject: string | undefined;
  readonly refusal: string | undefined;
  /** Milliseconds since the revocation feed's last word, where an identity was decided. */
  readonly leaseAgeMs: number | undefined;
}
