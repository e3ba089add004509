/** A gateway on a real port, with fake services behind the real mesh and a real (embedded) event log that the test's own auth writes to. */
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  isProblem,
  problem,
  type Problem,
  recordHeaders,
  RevocationEventSchema,
  type RevocationEvent,
  SessionState,
  type SessionView,
  SessionViewSchema,
  TokenMode,
  topics,
} from '@cloakroom/contracts';
import {
  createLogger,
  createPassportVerifier,
  type EventLog,
  type KeyRing,
  openEventLog,
  type Running,
  serveMesh,
  signEvent,
  type SigningKey,
  signPassport,
  systemClock,
} from '@cloakroom/platform';
import { makeToken, parseToken, readMacKeys } from '@cloakroom/session';
import { fakeServices, type FakeServices } from './fake-services.fixture.ts';
import { type GatewayConfig, readConfig, start } from './start.ts';

export const origin = 'http://localhost:4000';
export const macKeyText = randomBytes(32).toString('base64url');
const macKeys = readMacKeys(macKeyText);
export const silent = createLogger('test', 'silent');

export interface Signed {
  readonly key: SigningKey;
  readonly ring: KeyRing;
  readonly jwks: string;
}

function newKeys(): Signed {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = 'k1';
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  const ring: KeyRing = {
    find: (wanted) => (wanted === kid ? publicKey : undefined),
    refresh: () => Promise.resolve(),
    retire: () => undefined,
  };
  return { key: { kid, privateKey }, ring, jwks: JSON.stringify({ keys: [jwk] }) };
}

export const newTokenText = (): string => makeToken({ region: 'local', tag: '00ff', secret: randomBytes(32) }, macKeys).token;
export const tokenHashOf = (token: string): string => parseToken(token, macKeys)!.key.hash;

export interface Session {
  view: SessionView;
  live: boolean;
}

/** The fake auth: sessions in a map, every call counted, and the ways in which it can be made to fail. */
export class FakeAuth {
  readonly sessions = new Map<string, Session>();
  readonly calls: Record<string, number> = {};
  readonly requests: { readonly method: string; readonly request: unknown }[] = [];
  /** Answers instead of the fake itself. */
  failing: Problem | undefined;
  /** Holds every resolve until the promise settles. */
  gate: Promise<void> | undefined;
  readonly signed = newKeys();

  begin(state: 'guest' | 'user', changes: Partial<SessionView> = {}): string {
    const token = newTokenText();
    const subject = `${state === 'user' ? 'u' : 'g'}_${randomUUID()}`;
    const nowMs = BigInt(Date.now());
    const view = create(SessionViewSchema, {
      handle: randomUUID(),
      subject,
      state: state === 'user' ? SessionState.USER : SessionState.GUEST,
      mode: TokenMode.HYBRID,
      name: state === 'user' ? 'Ada' : '',
      email: state === 'user' ? 'ada@example.com' : '',
      createdAtMs: nowMs,
      authenticatedAtMs: state === 'user' ? nowMs : 0n,
      idleExpiresAtMs: nowMs + 86_400_000n,
      expiresAtMs: nowMs + 30n * 86_400_000n,
      region: 'local',
    });
    Object.assign(view, changes);
    this.sessions.set(token, { view, live: true });
    return token;
  }

  sessionOf(token: string): Session {
    const session = this.sessions.get(token);
    if (session === undefined) throw new Error('no such session in this test');
    return session;
  }

  note(method: string, request: unknown): Problem | undefined {
    this.calls[method] = (this.calls[method] ?? 0) + 1;
    this.requests.push({ method, request });
    return this.failing;
  }

  passport(view: SessionView, audience: string, trace: string): string {
    const nowS = Date.now() / 1000;
    const isUser = view.state === SessionState.USER;
    return signPassport(
      {
        iss: 'cloakroom-auth',
        aud: audience,
        sub: view.subject,
        sid: view.handle,
        epoch: 1,
        gepoch: 0,
        state: isUser ? 'user' : 'guest',
        acr: isUser ? 'aal1' : 'aal0',
        amr: isUser ? ['pwd'] : [],
        auth_time: Number(view.authenticatedAtMs) / 1000,
        txn: trace,
        region: 'local',
        iat: nowS,
        exp: nowS + 60,
      },
      this.signed.key,
    );
  }
}

/** What auth's relay would do: sign, publish, and beat. */
class Relay {
  private readonly startedMs = performance.now();
  private readonly boot = randomUUID();
  private timer: NodeJS.Timeout | undefined;
  private readonly log: EventLog;
  private readonly key: SigningKey;

  constructor(log: EventLog, key: SigningKey) {
    this.log = log;
    this.key = key;
  }

  async publish(event: RevocationEvent['event'], sign = true): Promise<void> {
    const value = Buffer.from(toBinary(RevocationEventSchema, create(RevocationEventSchema, { atMs: BigInt(Date.now()), event })));
    const headers = sign ? { [recordHeaders.signature]: signEvent(topics.sessionRevocations, value, this.key) } : {};
    await this.log.publish(topics.sessionRevocations, [{ key: 'revocations', value, headers }]);
  }

  async beat(): Promise<void> {
    const beatMs = BigInt(Math.floor(performance.now() - this.startedMs));
    await this.publish({
      case: 'heartbeat',
      value: { $typeName: 'cloakroom.events.v1.Heartbeat', globalEpoch: 0n, boot: this.boot, beatMs },
    });
  }

  startBeating(): void {
    this.timer = setInterval(() => void this.beat().catch(() => undefined), 100);
  }

  /** Silence: the lease runs out by itself. */
  stopBeating(): void {
    clearInterval(this.timer);
  }

  async revoke(token: string, view: SessionView, ended: boolean): Promise<void> {
    await this.publish({
      case: 'sessionRevoked',
      value: {
        $typeName: 'cloakroom.events.v1.SessionRevoked',
        tokenHash: tokenHashOf(token),
        handle: view.handle,
        subject: view.subject,
        revokedAtMs: BigInt(Date.now()),
        forgetAfterMs: BigInt(Date.now() + 60_000),
        ended,
      },
    });
  }
}

export interface Stage {
  readonly auth: FakeAuth;
  readonly services: FakeServices;
  readonly relay: Relay;
  readonly gateway: Running;
  readonly url: string;
  /** The session is dead at auth, and the feed says so. */
  end(token: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param env over what a test gateway has anyway */
export async function openStage(env: Record<string, string> = {}): Promise<Stage> {
  const clock = systemClock;
  const eventLog = await openEventLog({ kind: 'embedded', log: silent, clock });
  await eventLog.ensureTopics([topics.sessionRevocations]);
  const auth = new FakeAuth();
  const services = fakeServices(auth);
  const servers = await Promise.all(
    services.implementations.map(({ name, implementation }) =>
      serveMesh({
        name,
        port: 0,
        tls: undefined,
        services: [implementation],
        verifier: createPassportVerifier({ audience: name, keys: auth.signed.ring, clock }),
        clock,
        log: silent,
      }),
    ),
  );
  const addresses = Object.fromEntries(
    services.implementations.map(({ name }, i) => [`${name.toUpperCase()}_ADDRESS`, `localhost:${servers[i]!.port}`]),
  );
  const relay = new Relay(eventLog, auth.signed.key);
  relay.startBeating();
  const gateway = await start(configOf({ ...addresses, ...env }), { log: silent, clock, eventLog });
  const stage: Stage = {
    auth,
    services,
    relay,
    gateway,
    url: gateway.url,
    async end(token) {
      const session = auth.sessionOf(token);
      session.live = false;
      await relay.revoke(token, session.view, true);
    },
    async stop() {
      relay.stopBeating();
      await gateway.stop();
      await Promise.all(servers.map((server) => server.stop()));
      await eventLog.close();
    },
  };
  await ready(stage.url);
  return stage;
}

export function configOf(env: Record<string, string>): GatewayConfig {
  return readConfig({
    REPLICA: 'gateway-test',
    LISTEN_PORT: '0',
    LOG_LEVEL: 'silent',
    MESH_TLS: 'off',
    EVENT_LOG: 'embedded',
    SESSION_MAC_KEY: macKeyText,
    PUBLIC_ORIGINS: `${origin},http://localhost:4001`,
    RATE_LIMIT_PER_10S: '100000',
    SIGN_IN_LIMIT_PER_MINUTE: '100000',
    GUEST_LIMIT_PER_MINUTE: '100000',
    ...env,
  });
}

/** Ready, and with a lease: from here on cached identity is used. */
async function ready(url: string): Promise<void> {
  await until(async () => {
    const response = await fetch(`${url}/readyz`);
    const told = (await response.json()) as { parts: { feed: { leased: boolean } } };
    return response.status === 200 && told.parts.feed.leased;
  });
}

/** Waits for a condition, at most 5 s. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into answers of many shapes.
  readonly body: any;
  readonly setCookies: string[];
}

export interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export async function ask(url: string, path: string, { method = 'GET', token, body, headers = {} }: Ask = {}): Promise<Told> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(method !== 'GET' && { origin }),
      ...(token !== undefined && { cookie: `__Host-session=${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
    setCookies: response.headers.getSetCookie(),
  };
}

export const tokenIn = (told: Told): string | undefined =>
  told.setCookies.map((cookie) => /^__Host-session=([^;]*)/.exec(cookie)?.[1]).find((token) => token !== undefined);

export { isProblem, problem };
