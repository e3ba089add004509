/**
 * Sessions that the browser carries itself (modes jwt and jwt-denylist), as far as this gateway knows them.
 *
 * What could go wrong, and what keeps it from going wrong:
 * - Many requests of one page find the access token expired at once. They share one refresh, and what it gave is remembered for as long as auth
 *   would give it again (its grace), so that a request that comes late asks nobody. Two gateways meet at auth's counter.
 * - A slow answer to an old token arrives after newer cookies. Whatever this gateway would set is compared, when it is sent, with the newest it
 *   has itself seen of that session and with the revocations heard: what is older is not set. Between gateways that leaves the feed's latency.
 * - A token that bought its successor here comes again when the successor was used already. Used or shown here: auth is asked, and ends the session.
 *   Used at another gateway and never shown here: the answer is repeated for what is left of its 10 s (docs/sessions.md).
 * - A session ends here, and the feed has yet to say so. In jwt-denylist an access token that this gateway saw die is not believed any more,
 *   and auth is asked for the next. In jwt it is, to its end: that is the lesson of that mode, and it is the same at every gateway.
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

/** Entries of about 100 bytes; beyond it those seen longest ago go, and with them only the help against a very slow answer. */
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

  constructor(options: { readonly keys: KeyRing; readonly feed: RevocationFeed; readonly clock: Clock; readonly refresh: Refresh }) {
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

  /** One question for all who hold this token. */
  refresh(token: string, parts: RefreshParts, touch: boolean, call: () => OutgoingCall): Promise<SessionIssued | Problem> {
    const known = this.refreshes.get(token);
    // What it gave was replaced since (a step-up, a sign-out): auth is to say so.
    if (known !== undefined && (this.newest.get(parts.handle) ?? 0) <= parts.generation + 1) return known;
    const asked = this.refreshAtAuth(call(), { refreshToken: token, touch });
    this.refreshes.set(token, asked);
    const forget = (): void => void (this.refreshes.peek(token) === asked && this.refreshes.delete(token));
    asked.then((answer) => isProblem(answer) && forget(), forget);
    return asked;
  }

  /** Of tokens that are on their way to the browser. */
  noteIssued({ handle, generation }: RefreshParts): void {
    this.newest.set(handle, Math.max(generation, this.newest.get(handle) ?? 0));
  }

  /**
   * Of an access token that the browser shows: it may come from another gateway, and what was renewed here from its predecessors is to be repeated
   * no more. By its signed number alone, since anybody can write one into a refresh token; and only of sessions known here, so that it costs a look.
   */
  noteShown({ claims: { sid, gen } }: VerifiedAccess): void {
    const known = this.newest.get(sid);
    if (known !== undefined && known < gen) this.newest.set(sid, gen);
  }

  /** It ended here: nothing that is on its way may reach the browser any more. */
  end(handle: string): void {
    this.newest.set(handle, Number.POSITIVE_INFINITY);
  }

  /** Whether cookies with these tokens would not overwrite newer ones. */
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

/** What the access token and the refresh token of one refresh are known by here. */
export const selfContainedHash = ({ handle, generation }: Pick<RefreshParts, 'handle' | 'generation'>): string =>
  hashOf(Buffer.from(`${handle}.${generation}`));
