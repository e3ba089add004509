/**
 * The identity cache: auth's answers that this gateway remembers, and when it may believe them. It is the subject of this project.
 *
 * Failures, and the defence against each:
 * - A revoked session lives on in a cache. The gateway uses an entry without asking only while the feed holds its lease: it has then heard
 *   every published revocation (2 s at most). A revocation evicts. Without the lease every request asks auth.
 * - A fill races a revocation. auth says "live", the session ends, the feed tells the gateway, and only then the answer arrives. An eviction
 *   cannot remove an entry that is not there yet. So the cache knows each resolve in progress, and a revocation heard meanwhile marks it. The
 *   answer is compared with the feed when it lands: a revoked one is neither kept nor used.
 * - Joining carries an old answer to a newer request. A request joins a resolve in progress only under the lease, before and after the wait,
 *   and only if that answer was good enough to keep. `reference` sessions and sensitive requests never join and are never kept: their promise
 *   is "asked at this request".
 * - "No such session" is never kept. An id could be looked for before it exists, and keeping the answer would save nothing that the MAC does
 *   not.
 * - One person gets another's passport. The key is the token's hash and the audience, nothing less (CVE-2021-32701).
 * - A person keeps a session alive by leaving a page open. Only an entry that a touching resolve filled serves a request made by a person. So
 *   a live stream can neither hide a person's touch from auth nor make one.
 * - Clocks differ. A life is measured from the start of the resolve: it is the passport's own life, never its end by auth's clock.
 * - A machine sleeps, and its monotonic clock stands still meanwhile. So an entry also ends by the wall clock, counted from the same start.
 */
import { isProblem, problem, TokenMode, type Problem, type SessionView } from '@cloakroom/contracts';
import type { Revocation, RevocationFeed } from '@cloakroom/identity';
import type { VerifiedIdentity } from '@cloakroom/mesh';
import type { Clock } from '@cloakroom/platform';
import { LRUCache } from 'lru-cache';

/** Entries, about 2 kB each: 100 MB at worst. Beyond it the least recently used entries go first, and auth is asked again. */
export const entryCountMax = 50_000;
/** The longest life of a passport, whatever it says itself. */
export const lifeMaxMs = 60_000;
/** Up to this part of an entry's life is cut off at random, so that entries filled together do not all ask auth again together. */
export const jitterPart = 0.2;
/** A passport this close to its end could die on its way to the service. */
export const marginMs = 1_500;
/** Tokens known to be in mode `reference`, so that a request need not join only to find out. */
const referenceCountMax = 50_000;
const retryAfterS = 2;

/** The services that a person's passport may be for: one each. */
export const audiences = ['auth', 'cart', 'profile', 'orders'] as const;
export type Audience = (typeof audiences)[number];

/** auth's answer about a token, for one audience. */
export interface Resolved {
  readonly view: SessionView;
  /** Compact JWS. */
  readonly passport: string;
  readonly identity: Pick<VerifiedIdentity, 'subject' | 'handle' | 'epoch' | 'globalEpoch' | 'issuedAtMs'>;
  /** exp - iat of the passport. */
  readonly lifeMs: number;
}

/** 'none': there is no live session for this token. A Problem: auth could not say. */
export type AuthAnswer = Resolved | 'none' | Problem;

export interface IdentityRequest {
  /** base64url SHA-256 of the token's secret. */
  readonly tokenHash: string;
  readonly audience: Audience;
  /** Its passport must be fresh from auth. */
  readonly sensitive: boolean;
  /** A person made this request; false for streams and polls. */
  readonly touch: boolean;
  /** Asks auth. A shared question outlives the request that asked it, so it must not be cancelled with it. */
  readonly ask: (how: { readonly shared: boolean }) => Promise<AuthAnswer>;
  /** Resolves when this request may wait no longer for an answer that is shared. */
  readonly patience: () => Promise<'late'>;
}

/** `local` and `refreshed` occur only for a self-contained session (identify-self-contained-token.ts). */
export type Decision = 'hit' | 'asked' | 'joined' | 'degraded' | 'local' | 'refreshed';

export type IdentityAnswer = { readonly resolved: Resolved; readonly decision: Decision } | 'ended' | Problem;

interface Entry extends Resolved {
  readonly tokenHash: string;
  readonly touched: boolean;
  /** Monotonic: the entry serves under the lease until `freshUntilMs`, and not at all after `diesAtMs`. */
  readonly freshUntilMs: number;
  readonly diesAtMs: number;
  /** The same end by the wall clock here, which goes on while the machine sleeps. */
  readonly diesAtWallMs: number;
}

/** A question to auth that has not been answered yet. */
interface Ongoing {
  readonly tokenHash: string;
  /** The token was revoked since: the answer is worthless. */
  ended: boolean;
  /** All entries were distrusted since: the answer holds for the request that asked, and is not kept. */
  flushed: boolean;
}

/** The outcome of a question: `kept` answers may be shared. */
type Landed = { readonly answer: AuthAnswer; readonly kept: boolean };

export class IdentityCache {
  private readonly entries: LRUCache<string, Entry>;
  /** Keys of a subject's entries: a revocation names a subject, and must not have to look at every entry. */
  private readonly keysOfSubject = new Map<string, Set<string>>();
  private readonly ongoing = new Set<Ongoing>();
  private readonly shared = new Map<string, Promise<Landed>>();
  private readonly referenceTokens = new LRUCache<string, true>({ max: referenceCountMax });
  private readonly feed: RevocationFeed;
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly onForgotten: (tokenHash: string) => void;
  private readonly degrades: boolean;
  private readonly stopListening: () => void;

  /** @param options.random in [0, 1) */
  constructor(options: {
    readonly feed: RevocationFeed;
    readonly clock: Clock;
    readonly random: () => number;
    /** Tells another memory that a token died here. */
    readonly onForgotten?: (tokenHash: string) => void;
    readonly entryCountMax?: number;
    /** False: without the lease and an answer of auth nobody is let in, however good the passport still is. */
    readonly degrades?: boolean;
  }) {
    this.feed = options.feed;
    this.clock = options.clock;
    this.random = options.random;
    this.onForgotten = options.onForgotten ?? (() => undefined);
    this.degrades = options.degrades ?? true;
    this.entries = new LRUCache({ max: options.entryCountMax ?? entryCountMax, dispose: (entry, key) => this.unindex(entry, key) });
    this.stopListening = this.feed.onRevocation((what) => this.revoke(what));
  }

  async identify(request: IdentityRequest): Promise<IdentityAnswer> {
    if (!request.sensitive && this.feed.leaseValid()) {
      const entry = this.fresh(request);
      if (entry !== undefined) return { resolved: entry, decision: 'hit' };
      const shared = this.referenceTokens.has(request.tokenHash) ? undefined : this.shared.get(sharedKeyOf(request));
      // There is no await without a shared question: this request's own question must be registered before another request looks for it.
      if (shared !== undefined) {
        const joined = await this.waitForOther(request, shared);
        if (joined !== undefined) return joined;
      }
    }
    // The request that asked may have less time than those that joined. It leaves, and its question goes on.
    const landed = await Promise.race(request.sensitive ? [this.askAuth(request)] : [this.askAuth(request), request.patience()]);
    return this.answerOrDegrade(request, landed === 'late' ? problem('deadline_exceeded') : landed.answer, 'asked');
  }

  /** Forgets a token that this gateway itself saw die (logout, login, rotation), without waiting for the feed. */
  forgetToken(tokenHash: string): void {
    this.onForgotten(tokenHash);
    for (const audience of audiences) this.entries.delete(keyOf({ tokenHash, audience }));
    for (const question of this.ongoing) if (question.tokenHash === tokenHash) question.ended = true;
  }

  /** For spans alone: how long ago the feed last spoke, and the time. */
  get heard(): { readonly leaseAgeMs: number; readonly nowMs: number } {
    return { leaseAgeMs: this.feed.leaseAgeMs(), nowMs: this.clock.nowMs() };
  }

  get size(): number {
    return this.entries.size;
  }

  close(): void {
    this.stopListening();
    this.entries.clear();
  }

  private fresh(request: IdentityRequest): Entry | undefined {
    const entry = this.entries.get(keyOf(request));
    if (entry === undefined || this.clock.monotonicMs() >= entry.freshUntilMs || this.isDead(entry)) return undefined;
    return request.touch && !entry.touched ? undefined : entry;
  }

  private isDead(entry: Entry): boolean {
    return this.clock.monotonicMs() >= entry.diesAtMs || this.clock.nowMs() >= entry.diesAtWallMs;
  }

  /** Waits for a question that another request asked, and uses its answer where that is as good as asking. */
  private async waitForOther(request: IdentityRequest, shared: Promise<Landed>): Promise<IdentityAnswer | undefined> {
    const landed = await Promise.race([shared, request.patience()]);
    if (landed === 'late') return this.answerOrDegrade(request, problem('deadline_exceeded'), 'joined');
    // A dead session stays dead. If auth has just failed, one more question from each waiting request would push it deeper.
    if (landed.answer === 'none' || isProblem(landed.answer)) return this.answerOrDegrade(request, landed.answer, 'joined');
    return landed.kept && this.feed.leaseValid() ? { resolved: landed.answer, decision: 'joined' } : undefined;
  }

  /** Asks auth for this request. Others may join the question, unless it is sensitive. */
  private askAuth(request: IdentityRequest): Promise<Landed> {
    if (request.sensitive) return this.askAndJudge(request, false);
    const key = sharedKeyOf(request);
    const landed = this.askAndJudge(request, true).finally(() => {
      // A later question may have taken the place.
      if (this.shared.get(key) === landed) this.shared.delete(key);
    });
    this.shared.set(key, landed);
    return landed;
  }

  /** Judges the answer by all that was heard since the question, and keeps it only where nothing speaks against it. */
  private async askAndJudge(request: IdentityRequest, shared: boolean): Promise<Landed> {
    const question: Ongoing = { tokenHash: request.tokenHash, ended: false, flushed: false };
    this.ongoing.add(question);
    const started = { monotonicMs: this.clock.monotonicMs(), wallMs: this.clock.nowMs() };
    let answer: AuthAnswer;
    try {
      answer = await request.ask({ shared });
    } finally {
      this.ongoing.delete(question);
    }
    if (isProblem(answer)) return { answer, kept: false };
    const ended =
      answer === 'none' || question.ended || this.feed.isTokenRevoked(request.tokenHash) || this.feed.isRevoked(answer.identity);
    if (ended || answer === 'none') {
      this.forgetToken(request.tokenHash);
      return { answer: 'none', kept: false };
    }
    if (answer.view.mode === TokenMode.REFERENCE) {
      this.referenceTokens.set(request.tokenHash, true);
      return { answer, kept: false };
    }
    if (question.flushed || !shared) return { answer, kept: false };
    this.keep(request, answer, started);
    return { answer, kept: true };
  }

  private keep(request: IdentityRequest, answer: Resolved, started: { readonly monotonicMs: number; readonly wallMs: number }): void {
    const lifeMs = Math.min(answer.lifeMs, lifeMaxMs) - marginMs;
    if (lifeMs <= 0) return;
    const key = keyOf(request);
    this.entries.set(key, {
      ...answer,
      tokenHash: request.tokenHash,
      touched: request.touch,
      freshUntilMs: started.monotonicMs + lifeMs * (1 - jitterPart * this.random()),
      diesAtMs: started.monotonicMs + lifeMs,
      diesAtWallMs: started.wallMs + lifeMs,
    });
    const keys = this.keysOfSubject.get(answer.identity.subject) ?? new Set();
    keys.add(key);
    this.keysOfSubject.set(answer.identity.subject, keys);
  }

  /** Decides the request's answer. If auth could not say, its answer of less than a minute ago serves, if that is known and enough. */
  private answerOrDegrade(request: IdentityRequest, answer: AuthAnswer, decision: Decision): IdentityAnswer {
    if (answer === 'none') return 'ended';
    if (!isProblem(answer)) return { resolved: answer, decision };
    if (!silentCodes.has(answer.problem)) return answer;
    const entry = request.sensitive || !this.degrades ? undefined : this.entries.get(keyOf(request));
    // auth is out of reach: a passport that it signed less than a minute ago still stands for carts and reads (docs/failures.md).
    if (entry !== undefined && !this.isDead(entry)) return { resolved: entry, decision: 'degraded' };
    return problem('identity_unavailable', undefined, retryAfterS);
  }

  private revoke(what: Revocation): void {
    if (what.kind === 'distrust' || what.kind === 'key') return this.flush();
    if (what.kind === 'global') return this.evict(this.entries.keys(), (entry) => entry.identity.globalEpoch < what.epoch);
    const keys = this.keysOfSubject.get(what.subject) ?? [];
    if (what.kind === 'user') return this.evict(keys, (entry) => entry.identity.epoch < what.epoch);
    for (const question of this.ongoing) if (question.tokenHash === what.tokenHash) question.ended = true;
    this.evict(keys, (entry) => entry.tokenHash === what.tokenHash || (what.ended && entry.identity.handle === what.handle));
  }

  private flush(): void {
    this.entries.clear();
    for (const question of this.ongoing) question.flushed = true;
  }

  private evict(keys: Iterable<string>, isDead: (entry: Entry) => boolean): void {
    // A copy, because deleting an entry changes the set that is iterated.
    for (const key of Array.from(keys)) {
      const entry = this.entries.peek(key);
      if (entry !== undefined && isDead(entry)) this.entries.delete(key);
    }
  }

  private unindex(entry: Entry, key: string): void {
    const keys = this.keysOfSubject.get(entry.identity.subject);
    keys?.delete(key);
    if (keys?.size === 0) this.keysOfSubject.delete(entry.identity.subject);
  }
}

/** Codes that say "auth could not answer", as opposed to an answer that we do not like. */
const silentCodes: ReadonlySet<string> = new Set([
  'connection_lost',
  'unavailable',
  'deadline_exceeded',
  'identity_unavailable',
  'internal',
]);

const keyOf = (request: Pick<IdentityRequest, 'tokenHash' | 'audience'>): string => `${request.tokenHash} ${request.audience}`;
/** A request that must touch cannot be served by a question that does not. */
const sharedKeyOf = (request: IdentityRequest): string => `${keyOf(request)} ${request.touch}`;
