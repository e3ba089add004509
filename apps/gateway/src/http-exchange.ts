/**
 * One HTTP request as a use case sees it: explicit, and nothing in it shared with another request.
 * HTTP itself (headers, cookies, status lines) stays in edge/.
 */
import { formatPositions, furthestPositions, partitionOf, positionsIn, topics, type Problem, type SessionView } from '@cloakroom/contracts';
import type { VerifiedAccess } from '@cloakroom/identity';
import { type Deadline, formatTimings, type OutgoingCall, type Timing } from '@cloakroom/mesh';
import type { TraceContext } from '@cloakroom/platform';
import type { RefreshParts } from '@cloakroom/session';
import { deviceLabel } from './edge/device-label.ts';
import type { RegionAbroad } from './gateway.ts';
import type { Decision } from './identity/identity-cache.ts';

/** A token whose MAC is right. It was ours once, which says nothing about its session. */
export interface BrowserToken {
  /** For auth alone; never logged. */
  readonly text: string;
  /** The region that the token names: where its session lives. */
  readonly region: string;
  /**
   * For a self-contained session '' until its access token is verified: the gateway may forget only the browser's own session by this hash.
   */
  readonly hash: string;
  /** The session itself, in the modes jwt and jwt-denylist. `text` is then the refresh token, or the access token if that is all there is. */
  readonly selfContained?: SelfContainedCookies;
}

export interface SelfContainedCookies {
  readonly access: string | undefined;
  /** Read by its form alone, because only auth has the key. */
  readonly refresh: { readonly text: string; readonly parts: RefreshParts } | undefined;
  /** The other kind of cookie, shown at once (identify-caller.ts). */
  readonly beside?: BrowserToken;
}

/** The credential of a call to a service: a passport for that service, or the access token of a self-contained session. */
export type Credential = string | { readonly accessToken: string };

/** Tokens that auth just issued, for the cookies. */
export interface NewToken {
  /** The session token, or the refresh token. */
  readonly text: string;
  /** The session's absolute limit. */
  readonly expiresAtMs: number;
  readonly selfContained?: { readonly access: string; readonly accessExpiresAtMs: number; readonly parts: RefreshParts };
  /** The session that it opens. */
  readonly view?: SessionView;
}

/** Result of identifying the caller. The request itself sets it, at most once. */
export interface Renewal {
  issued?: NewToken;
  identity?: VerifiedAccess['identity'];
  /** The use case takes this for the browser's token from here on. */
  token?: BrowserToken;
}

/** The person of a request, with the passport for the one service that the route speaks to. */
export interface Person {
  readonly view: SessionView;
  readonly passport: Credential;
  readonly decision: Decision;
  /** Where the session lives, if not in this region. */
  readonly home?: RegionAbroad;
}

/** Entries of one answer: the header must stay far below common header limits. */
const timingCountMax = 24;

/** The Server-Timing of one answer (W3C): the session decision, what each hop cost, and what was left of the budget. */
export class Timings {
  private readonly entries: Timing[] = [];

  add(entry: Timing): void {
    if (this.entries.length < timingCountMax) this.entries.push(entry);
  }

  header(): string {
    return formatTimings(this.entries);
  }
}

export interface Exchange {
  readonly trace: TraceContext;
  readonly experiment: string | undefined;
  readonly deadline: Deadline;
  /** The signal aborts when the browser has gone. It is made when somebody first asks for it. */
  readonly signal: () => AbortSignal;
  /**
   * The consistency tokens that the client showed. The header's comes first, from this page. The cookie's follows, from the last write in
   * this browser.
   */
  readonly consistency: readonly string[];
  readonly token: BrowserToken | undefined;
  readonly renewal: Renewal;
  /** Undefined where the route needs no person, or where there may be none. */
  readonly person: Person | undefined;
  /** A known device's cookie whose MAC is right, for a sign-in; else ''. */
  readonly knownDevice: string;
  /** The browser's address, for throttles. */
  readonly remoteAddress: string;
  /** A proxy passed the request on and says for whom, so it comes from the public and not from a probe. */
  readonly proxied: boolean;
  readonly userAgent: string | undefined;
  readonly timings: Timings;
}

/** The answer of a use case; edge/http-adapter.ts turns it into HTTP. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Tokens that auth just issued, for the cookies. */
  readonly newToken?: NewToken;
  /** The cookie of a known device that auth has just made or prolonged. */
  readonly knownDevice?: string;
  /** The session ended by the person's own will. Only this answer clears cookies. */
  readonly loggedOut?: true;
  /** A write's token. It goes in the header, and also in a cookie, for clients that ignore headers. */
  readonly consistency?: string;
  /** A read's token, in the header alone. A read that was asked before a write and answered after it would set the cookie back. */
  readonly reached?: string;
  /** Replaces the body: it takes the connection over, as server-sent events. */
  readonly stream?: (socket: EventSocket) => void;
}

/** The connection of a live stream, with all that the stream may do to it. */
export interface EventSocket {
  /** @returns false when the client reads too slowly: nothing more may be written before `onDrain` */
  write(text: string): boolean;
  onDrain(listener: () => void): void;
  /** Calls the listener at once if the connection is closed already. */
  onClose(listener: () => void): void;
  end(): void;
  destroy(): void;
}

/** A Problem may carry the tokens of a session that has begun all the same. */
export type Outcome = Answer | (Problem & Pick<Answer, 'newToken'>);

/** A call to a service on behalf of this request. The rest of the request's budget goes along. */
export function outgoing(exchange: Exchange, credential?: Credential): OutgoingCall {
  const consistency = consistencyOf(exchange);
  return {
    budgetMs: exchange.deadline.remainingMs(),
    signal: exchange.signal(),
    trace: exchange.trace,
    onTiming: (entries) => entries.forEach((entry) => exchange.timings.add(entry)),
    ...(exchange.experiment !== undefined && { experiment: exchange.experiment }),
    ...(consistency !== undefined && { consistency }),
    ...(typeof credential === 'string' ? { passport: credential } : credential),
  };
}

/** Joins the tokens of the person's own partition, because a page that was open at a sign-in elsewhere still knows the guest's cart. */
function consistencyOf({ consistency, person }: Exchange): string | undefined {
  const [first, second] = consistency;
  if (second === undefined || person === undefined) return first;
  const own = partitionOf(person.view.subject, topics.cartEvents);
  const furthest = furthestPositions([...positionsIn(first), ...positionsIn(second)], own);
  return furthest.length > 0 ? formatPositions(furthest) : first;
}

/** Returns the person that the route's policy promised. A route that forgot to ask for one fails loudly. */
export function personOf(exchange: Exchange): Person {
  if (exchange.person === undefined) throw new Error('this route asks for no person');
  return exchange.person;
}

/** Describes the browser to auth, at a sign-in of any kind. */
export function browserOf({ token, userAgent, remoteAddress, knownDevice }: Exchange) {
  return { currentToken: token?.text ?? '', device: { label: deviceLabel(userAgent) }, remoteAddress, knownDevice };
}
