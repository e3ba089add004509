/** Auth in one process for tests: a real database and a real session store in memory, an event log that can be told to fail, a clock by hand. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import {
  CreateGuestRequestSchema,
  isProblem,
  LoginRequestSchema,
  type Problem,
  RegisterRequestSchema,
  ResolveRequestSchema,
  tokenModeNames,
  topics,
  type TopicSpec,
} from '@cloakroom/contracts';
import { type EventLog, type OutgoingRecord, type Position } from '@cloakroom/event-log';
import { type PersonContext, type RequestContext } from '@cloakroom/mesh';
import { type Clock, createLogger } from '@cloakroom/platform';
import { openDatabase, soleLease } from '@cloakroom/platform/database';
import { macKeys, MemorySessionStore, parseToken, type SessionStore, StoreUnavailable } from '@cloakroom/session';
import { freshDatabaseUrl } from '@cloakroom/testing';
import type { Auth } from './auth.ts';
import { createGuest } from './sessions/create-guest.ts';
import { openAccessTokens } from './tokens/issue-tokens.ts';
import { login } from './sign-in/login.ts';
import { type AuthSchema, expansions, migrations } from './database/migrations.ts';
import { openOutbox } from './database/outbox.ts';
import { relyingParty } from './factors/relying-party.ts';
import { type Argon2, openPasswords } from './accounts/passwords.ts';
import { register } from './sign-in/register.ts';
import type { OpenRelayParts, RelayParts } from './operations/relay.ts';
import { replayRevocations } from './revocation/replay.ts';
import { resolve } from './tokens/resolve.ts';
import { openSealer } from './tokens/sealed.ts';
import { openSigningKeys } from './tokens/signing-keys.ts';
import { openThrottle, type ThrottleLimits } from './throttle/throttle.ts';

export class HandClock implements Clock {
  #nowMs = Date.UTC(2026, 10, 24);
  nowMs = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;
  advance(durationMs: number): void {
    this.#nowMs += durationMs;
  }
}

/** Keeps what was published; `fail` decides on each publish. */
export class RecordedLog {
  readonly published: { readonly topic: string; readonly record: OutgoingRecord }[] = [];
  ensured = 0;
  fail: (topic: TopicSpec, records: readonly OutgoingRecord[]) => boolean = () => false;
  readonly port = {
    ensureTopics: () => Promise.resolve(void (this.ensured += 1)),
    publish: (topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]> => {
      if (this.fail(topic, records)) return Promise.reject(new Error('the event log is away'));
      this.published.push(...records.map((record) => ({ topic: topic.name, record })));
      return Promise.resolve(records.map((_, i) => ({ topic: topic.name, partition: 0, offset: BigInt(i) })));
    },
  } as unknown as EventLog;

  of(topic: TopicSpec): OutgoingRecord[] {
    return this.published.filter((each) => each.topic === topic.name).map((each) => each.record);
  }
}

/** argon2 costs 30 ms. The use-case tests need only a hash that matches its own password. */
const quickHash: Argon2 = {
  hash: (password) => Promise.resolve(createHash('sha256').update(password).digest('hex')),
  verify: (hash, password) => Promise.resolve(createHash('sha256').update(password).digest('hex') === hash),
};

export interface Harness {
  readonly auth: Auth;
  readonly clock: HandClock;
  readonly eventLog: RecordedLog;
  readonly relay: RelayParts & OpenRelayParts;
  readonly slept: number[];
  /** The operations of the store that fail while they are in this set. */
  readonly broken: Set<keyof SessionStore>;
}

export async function openHarness(
  options: {
    readonly store?: SessionStore;
    readonly argon2?: Argon2;
    readonly url?: string;
    readonly limits?: ThrottleLimits;
    readonly region?: string;
  } = {},
): Promise<Harness> {
  const clock = new HandClock();
  const log = createLogger('auth-test', 'silent');
  const database = await openDatabase<AuthSchema>(options.url ?? (await freshDatabaseUrl()), migrations, { name: 'auth', log, expansions });
  const outbox = openOutbox(database);
  const broken = new Set<keyof SessionStore>();
  const store = breakable(options.store ?? new MemorySessionStore({ incarnation: 'first' }), broken);
  replayRevocations({ database, store, clock, log });
  const slept: number[] = [];
  const sealer = openSealer(Buffer.alloc(32, 9).toString('base64url'));
  let counter = 0;
  const keys = await openSigningKeys({ database, outbox, sealer, nowMs: clock.nowMs });
  const auth: Auth = {
    region: options.region ?? 'local',
    defaultMode: 'hybrid',
    allowedModes: tokenModeNames,
    macKeys: macKeys([Buffer.alloc(32, 7)]),
    refreshKeys: macKeys([Buffer.alloc(32, 8)]),
    accessTokens: openAccessTokens(keys, clock),
    accessTokenLifetimeMs: 300_000,
    database,
    outbox,
    store,
    keys,
    sealer,
    relyingParty: relyingParty(['http://127.0.0.1:4000', 'http://localhost:4000', 'http://localhost:4001']),
    passwords: await openPasswords(options.argon2 ?? quickHash),
    throttle: openThrottle(undefined, 'throttle', options.limits, clock.nowMs),
    clock,
    log,
    // Returns another value at each call and in each region, and the same values in each run.
    random: (byteCount) =>
      createHash('sha512')
        .update(`${options.region ?? ''}${(counter += 1)}`)
        .digest()
        .subarray(0, byteCount),
    sleep: (durationMs) => Promise.resolve(void slept.push(durationMs)),
  };
  const eventLog = new RecordedLog();
  const relay = {
    ...auth,
    eventLog: eventLog.port,
    boot: 'boot',
    confirm: () => Promise.resolve(),
    lease: soleLease(),
    newBoot: () => 'boot',
  };
  return { auth, clock, eventLog, relay, slept, broken };
}

/** A store whose named operations fail as if Redis were away. */
export function breakable(store: SessionStore, broken: ReadonlySet<keyof SessionStore>): SessionStore {
  return new Proxy(store, {
    get: (target, name: keyof SessionStore) => {
      const operation = target[name].bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => (broken.has(name) ? Promise.reject(new StoreUnavailable('away')) : operation(...args));
    },
  });
}

export function contextOf(identity?: PersonContext['identity']): RequestContext {
  return {
    identity,
    caller: 'gateway',
    deadline: { remainingMs: () => 1_000 },
    signal: new AbortController().signal,
    trace: {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    experiment: undefined,
    consistency: undefined,
    timing: () => undefined,
    parent: undefined,
  };
}

/** The context that a service has after it verified the passport of this token. */
export async function personWith({ auth, clock }: Harness, token: string): Promise<PersonContext> {
  const parsed = parseToken(token, auth.macKeys);
  const session = parsed && (await auth.store.resolve(parsed.key, clock.nowMs(), undefined));
  if (session === undefined) throw new Error('no live session for this token');
  const { subject, handle, state, epoch, globalEpoch, authenticatedAtMs, region } = session;
  const issuedAtMs = clock.nowMs();
  const proof = { acr: 'aal1', amr: ['pwd'], transaction: 't', actors: [], issuedAtMs, expiresAtMs: issuedAtMs + 60_000 };
  return contextOf({ subject, handle, state, epoch, globalEpoch, authenticatedAtMs, region, ...proof }) as PersonContext;
}

/** @throws when the answer is a Problem */
export function ok<Answer>(answer: Answer | Problem): Answer {
  if (isProblem(answer)) throw new Error(`unexpected problem: ${answer.problem} ${answer.detail ?? ''}`);
  return answer as Answer;
}

export const password = 'correct horse battery staple';

export const guest = async ({ auth }: Harness) => {
  const { token, session } = ok(await createGuest(auth, create(CreateGuestRequestSchema, { device: { label: 'browser' } })));
  return { token: token!, subject: session!.subject! };
};

export const signUp = ({ auth }: Harness, email: string, currentToken = '') =>
  register(auth, contextOf(), create(RegisterRequestSchema, { email, password, name: 'Ada', currentToken, remoteAddress: '127.0.0.1' }));

export const signIn = ({ auth }: Harness, email: string, currentToken = '', secret = password) =>
  login(auth, contextOf(), create(LoginRequestSchema, { email, password: secret, currentToken, remoteAddress: '127.0.0.1' }));

/** @returns what auth tells of the token. Every answer must say that it is the answer to this question */
export async function look({ auth }: Harness, token: string, audience = '', touch = false) {
  const answer = ok(await resolve(auth, contextOf(), create(ResolveRequestSchema, { token, audience, touch })));
  const { tokenSha256, audience: told, ...found } = answer;
  if (!createHash('sha256').update(token).digest().equals(tokenSha256!) || told !== audience)
    throw new Error('the answer is for another question');
  return found;
}

export const outboxOf = ({ auth }: Harness, topic: TopicSpec = topics.identityEvents) =>
  auth.database.selectFrom('outbox').selectAll().where('topic', '=', topic.name).orderBy('sequence').execute();
