/** The test's own auth: sessions in a map, passports that are really signed, and a relay that writes to the real feed. */
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type Problem,
  recordHeaders,
  type RevocationEvent,
  RevocationEventSchema,
  SessionState,
  type SessionView,
  SessionViewSchema,
  TokenMode,
  type TopicSpec,
  topics,
} from '@cloakroom/contracts';
import { type EventLog } from '@cloakroom/event-log';
import { type KeyRing, signEvent, type SigningKey, signPassport } from '@cloakroom/identity';
import { makeToken, parseToken, readMacKeys } from '@cloakroom/session';
import { FakeSelfContained } from './fake-self-contained-tokens.fixture.ts';

export const macKeyText = randomBytes(32).toString('base64url');
export const macKeys = readMacKeys(macKeyText);

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

export const newTokenText = (region = 'local'): string => makeToken({ region, tag: '00ff', secret: randomBytes(32) }, macKeys).token;
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
  /** This answer replaces the fake's own. */
  failing: Problem | undefined;
  /** Holds every resolve until the promise settles. */
  gate: Promise<void> | undefined;
  /** A sign-in cannot say yet whether the cart of a guest from abroad comes along. */
  claimWaits = false;
  /** A sign-in answers with this cookie. */
  knownDevice = '';
  readonly signed = newKeys();
  readonly region: string;
  readonly selfContained: FakeSelfContained;

  constructor(region = 'local') {
    this.region = region;
    this.selfContained = new FakeSelfContained(this.signed.key, region);
  }

  begin(state: 'guest' | 'user', changes: Partial<SessionView> = {}): string {
    const token = newTokenText(this.region);
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
      region: this.region,
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
        region: view.region,
        iat: nowS,
        exp: nowS + 60,
      },
      this.signed.key,
    );
  }
}

/** One clock and one boot for all relays of a test: the fake auth answers for the one that beats. */
const relayClock = { boot: randomUUID(), startedMs: performance.now() };

export const readRelayClock = () => ({ boot: relayClock.boot, beatMs: BigInt(Math.ceil(performance.now() - relayClock.startedMs)) });

/** Does what auth's relay would do: sign, publish, and beat. */
export class Relay {
  private timer: NodeJS.Timeout | undefined;
  private readonly log: EventLog;
  private readonly key: SigningKey;
  private readonly topic: TopicSpec;

  /** @param topic another region's is read from its copy */
  constructor(log: EventLog, key: SigningKey, topic: TopicSpec = topics.sessionRevocations) {
    this.log = log;
    this.key = key;
    this.topic = topic;
  }

  async publish(event: RevocationEvent['event'], sign = true): Promise<void> {
    const value = Buffer.from(toBinary(RevocationEventSchema, create(RevocationEventSchema, { atMs: BigInt(Date.now()), event })));
    const headers = sign ? { [recordHeaders.signature]: signEvent(topics.sessionRevocations, value, this.key) } : {};
    await this.log.publish(this.topic, [{ key: 'revocations', value, headers }]);
  }

  async beat(): Promise<void> {
    const beatMs = BigInt(Math.floor(performance.now() - relayClock.startedMs));
    await this.publish({
      case: 'heartbeat',
      value: { $typeName: 'cloakroom.events.v1.Heartbeat', globalEpoch: 0n, boot: relayClock.boot, beatMs },
    });
  }

  startBeating(): void {
    this.timer = setInterval(() => void this.beat().catch(() => undefined), 100);
  }

  /** Goes silent: the lease runs out by itself. */
  stopBeating(): void {
    clearInterval(this.timer);
  }

  /** @param token '' for a self-contained session */
  async revoke(token: string, view: SessionView, ended: boolean): Promise<void> {
    await this.publish({
      case: 'sessionRevoked',
      value: {
        $typeName: 'cloakroom.events.v1.SessionRevoked',
        tokenHash: token === '' ? '' : tokenHashOf(token),
        handle: view.handle,
        subject: view.subject,
        revokedAtMs: BigInt(Date.now()),
        forgetAfterMs: BigInt(Date.now() + 60_000),
        ended,
      },
    });
  }
}
