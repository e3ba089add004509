/**
 * Sessions that the browser carries itself (modes jwt and jwt-denylist), as far as this gateway knows them.
 *
 * Failures, and the defence against each:
 * - Many requests of one page find the access token expired at once. They share one refresh. The gateway remembers its answer for as long as
 *   auth would give it again (the grace), so a late request needs no call. Two gateways meet at auth's counter.
 * - A slow answer to an old token arrives after newer cookies. Before the gateway sends cookies it compares them with the newest that it has
 *   seen of that session, and with the revocations heard. It does not set older ones. Between gateways a window remains: the feed's latency.
 * - A token that bought its successor here comes again after the successor was used. If the successor was used or shown here, the gateway
 *   asks auth, and auth ends the session. If it was used at another gateway and never shown here, the answer is repeated for the rest of its
 *   10 s (docs/sessions.md).
 * - A session ends here before the feed says so. In jwt-denylist the gateway no longer believes an access token that it saw die, and asks
 *   auth for the next. In jwt it believes the token to its end. This is the lesson of that mode, and it is the same at every gateway.
 */
import { isProblem, type Problem, type SessionIssued } from '@cloakroom/contracts';
import {
  type AccessRefusal,
  type AccessTokenVerifier,
  createAccessTokenVerifier,
  type KeyRing,
  type RevocationFeed,
  type VerifiedAccess,
} from '@cloakroom/identity';
import { type OutgoingCall } from '@cloakroom/mesh';
import { type Clock } from '@cloakroom/platform';
import { hashOf, limits, type RefreshParts } from '@cloakroom/session';
import { LRUCache } from 'lru-cache';

/** Entries of about 100 bytes. Beyond it the entries seen longest ago go, and with them only the help against a very slow answer. */
const rememberedCountMax = 50_000;
/** A refreshed session holds two tokens, 2 kB. */
const refreshedCountMax = 5_000;

export type Refresh = (call: OutgoingCall, request: { refreshToken: string; touch: boolean }) => Promise<SessionIssued | Problem>;

export class SelfContainedTokens {
  private readonly tokens: AccessTokenVerifier;
  private readonly feed: RevocationFeed;
  private readonly refreshAtAuth: Refresh;
  private readonly refreshes: LRUCache<string, Promise<SessionIssued | Problem>>;
  /** The highest number seen of each session; Infinity once it ended here. */
  private readonly newest = new LRUCache<string, number>({ max: rememberedCountMax });
  private readonly distrusted = new LRUCache<string, true>({ max: rememberedCountMax });

  constructor(options: {
    readonly keys: KeyRing;
    readonly feed: RevocationFeed;
    readonly clock: Clock;
    readonly refresh: Refresh;
    /** With several regions: the one whose keys these are. */
    readonly region?: string | undefined;
  }) {
    this.tokens = createAccessTokenVerifier(options);
    this.feed = options.feed;
    this.refreshAtAuth = options.refresh;
    const { clock } = options;
    const perf = { now: () => clock.monotonicMs() };
    this.refreshes = new LRUCache({ max: refreshedCountMax, ttl: limits.refreshGraceMs, ttlResolution: 0, perf });
  }

  verify(access: string): Promise<VerifiedAccess | AccessRefusal> {
    return this.tokens.verify(access);
  }

  /** One question to auth for all requests that hold this token. */
  refresh(token: string, parts: RefreshParts, touch: boolean, call: () => OutgoingCall): Promise<SessionIssued | Problem> {
    const known = this.refreshes.get(token);
    // Newer tokens have replaced the remembered answer (a step-up, a sign-out): auth must say so.
    if (known !== undefined && (this.newest.get(parts.handle) ?? 0) <= parts.generation + 1) return known;
    const asked = this.refreshAtAuth(call(), { refreshToken: token, touch });
    this.refreshes.set(token, asked);
    const forget = (): void => void (this.refreshes.peek(token) === asked && this.refreshes.delete(token));
    asked.then((answer) => isProblem(answer) && forget(), forget);
    return asked;
  }

  /** Notes tokens that are on their way to the browser. */
  noteIssued({ handle, generation }: RefreshParts): void {
    this.newest.set(handle, Math.max(generation, this.newest.get(handle) ?? 0));
  }

  /**
   * Notes an access token that the browser shows. Another gateway may have issued it, and a renewal here from its predecessors must not be
   * repeated any more. Only its signed number counts, since anyone can write a number into a refresh token. Only sessions known here are
   * noted, so a note costs one look-up.
   */
  noteShown({ claims: { sid, gen } }: VerifiedAccess): void {
    const known = this.newest.get(sid);
    if (known !== undefined && known < gen) this.newest.set(sid, gen);
  }

  /** Marks a session that ended here: its tokens that are on their way must not reach the browser any more. */
  end(handle: string): void {
    this.newest.set(handle, Number.POSITIVE_INFINITY);
  }

  /** True if cookies with these tokens would overwrite no newer ones. */
  isNewest({ handle, generation }: RefreshParts, identity: VerifiedAccess['identity'] | undefined): boolean {
    if ((this.newest.get(handle) ?? 0) > generation) return false;
    return identity === undefined || !this.feed.isRevoked(identity);
  }

  /** @param hash as `selfContainedHash` makes it */
  distrust(hash: string): void {
    this.distrusted.set(hash, true);
  }

  isTrusted({ identity, claims }: VerifiedAccess): boolean {
    return identity.accessMode === 'jwt' || !this.distrusted.has(selfContainedHash({ handle: identity.handle, generation: claims.gen }));
  }
}

/** The key by which this gateway knows the access token and the refresh token of one refresh. */
export const selfContainedHash = ({ handle, generation }: Pick<RefreshParts, 'handle' | 'generation'>): string =>
  hashOf(Buffer.from(`${handle}.${generation}`));
