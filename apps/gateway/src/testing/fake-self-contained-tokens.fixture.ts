/** Self-contained sessions at the test's own auth: a counter for each session, and tokens that are really signed and really sealed. */
import { randomBytes, randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { type Problem, problem, SessionState, type SessionView, SessionViewSchema, TokenMode } from '@cloakroom/contracts';
import { signAccessToken, type SigningKey } from '@cloakroom/identity';
import { macKeys, makeRefreshToken, parseRefreshToken, tagOf } from '@cloakroom/session';

const keys = macKeys([randomBytes(32)]);

export interface SelfContainedSession {
  readonly view: SessionView;
  generation: number;
  live: boolean;
}

export interface TokenPair {
  readonly access: string;
  readonly refresh: string;
  readonly accessExpiresAtMs: number;
}

export class FakeSelfContained {
  readonly sessions = new Map<string, SelfContainedSession>();
  lifetimeMs = 300_000;
  private readonly key: SigningKey;
  private readonly region: string;

  constructor(key: SigningKey, region: string) {
    this.key = key;
    this.region = region;
  }

  begin(mode: 'jwt' | 'jwt-denylist', changes: Partial<SessionView> = {}): { session: SelfContainedSession; tokens: TokenPair } {
    const nowMs = BigInt(Date.now());
    const view = create(SessionViewSchema, {
      handle: randomUUID(),
      subject: `u_${randomUUID()}`,
      state: SessionState.USER,
      mode: mode === 'jwt' ? TokenMode.JWT : TokenMode.JWT_DENYLIST,
      name: 'Ada',
      email: 'ada@example.com',
      createdAtMs: nowMs,
      authenticatedAtMs: nowMs,
      idleExpiresAtMs: nowMs + 86_400_000n,
      expiresAtMs: nowMs + 30n * 86_400_000n,
      region: this.region,
    });
    Object.assign(view, changes);
    const session = { view, generation: 0, live: true };
    this.sessions.set(view.handle, session);
    return { session, tokens: this.issue(session) };
  }

  /** @param lifetimeMs below zero: the token has expired already */
  issue({ view, generation }: SelfContainedSession, lifetimeMs = this.lifetimeMs): TokenPair {
    const expiresAtMs = Date.now() + lifetimeMs;
    const iat = (lifetimeMs > 0 ? Date.now() : expiresAtMs - 60_000) / 1000;
    const access = signAccessToken(
      {
        iss: 'cloakroom-auth',
        aud: 'cloakroom-shop',
        client_id: 'cloakroom-web',
        jti: randomUUID(),
        sub: view.subject,
        sid: view.handle,
        gen: generation,
        epoch: 1,
        gepoch: 0,
        state: 'user',
        mode: view.mode === TokenMode.JWT ? 'jwt' : 'jwt-denylist',
        acr: 'aal1',
        amr: ['pwd'],
        auth_time: Math.min(iat, Number(view.authenticatedAtMs) / 1000),
        region: view.region,
        iat,
        exp: expiresAtMs / 1000,
        name: view.name,
        email: view.email,
        ...(view.role !== '' && { role: view.role }),
        created: Number(view.createdAtMs) / 1000,
        idle_exp: Number(view.idleExpiresAtMs) / 1000,
        abs_exp: Number(view.expiresAtMs) / 1000,
        cart: view.claimedGuestCart,
      },
      this.key,
    );
    const refresh = makeRefreshToken({ region: view.region, tag: tagOf(view.subject), handle: view.handle, generation }, keys);
    return { access, refresh, accessExpiresAtMs: expiresAtMs };
  }

  issued(session: SelfContainedSession) {
    const { access, refresh, accessExpiresAtMs } = this.issue(session);
    const rest = { endedOldest: false, knownDevice: '', currentTokenOwn: false };
    return {
      token: '',
      accessToken: access,
      refreshToken: refresh,
      accessExpiresAtMs: BigInt(accessExpiresAtMs),
      session: session.view,
      ...rest,
    };
  }

  refresh(refreshToken: string): ReturnType<FakeSelfContained['issued']> | Problem {
    const parts = parseRefreshToken(refreshToken, keys);
    if (parts === undefined) return problem('session_required');
    const session = this.sessions.get(parts.handle);
    if (session?.live !== true || parts.generation < session.generation - 1) return problem('session_ended');
    session.generation = Math.max(session.generation, parts.generation + 1);
    return this.issued(session);
  }

  isOwn(token: string): boolean {
    return parseRefreshToken(token, keys) !== undefined;
  }

  /** Finds the session by a refresh or an access token. */
  find(token: string): SelfContainedSession | undefined {
    const parts = parseRefreshToken(token, keys);
    if (parts !== undefined) return this.sessions.get(parts.handle);
    const claims = token.split('.').length === 3 ? Buffer.from(token.split('.')[1]!, 'base64url').toString() : '';
    return this.sessions.get(/"sid":"([^"]+)"/.exec(claims)?.[1] ?? '');
  }
}
