import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { AuthService, IdentityEventSchema, isProblem, ProfileService, recordHeaders, topics, type Profile } from '@cloakroom/contracts';
import { EmbeddedEventLog, type EventLog, openEventLog } from '@cloakroom/event-log';
import { createPassportVerifier, keysToken, openAdmission, signEvent, signPassport, type SigningKey } from '@cloakroom/identity';
import {
  connectMesh,
  implement,
  type MeshConnection,
  type MeshServer,
  MeshTransport,
  type OutgoingCall,
  serveMesh,
  ServiceModule,
} from '@cloakroom/mesh';
import { createLogger, type Running, startTrace, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { databaseToken } from './injection.ts';
import { followIdentityEvents, identityGroup, takeIdentityEvents } from './identity-events.ts';
import type { Database } from './profiles.ts';
import { ProfileModule, readConfig, start } from './profile.module.ts';

const log = createLogger('test', 'silent');
const newKey = (kid: string): SigningKey & { readonly publicKey: KeyObject } => ({
  kid,
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }),
});
const key = newKey('live');
const stranger = newKey('live');

let eventLog: EventLog;
let auth: MeshServer;
let running: Running;
let profile: MeshConnection<typeof ProfileService>;

/** A fake auth that answers with its keys and nothing else. */
function startAuth(): Promise<MeshServer> {
  const unused = () => Promise.reject(new Error('not asked in this test'));
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: 'ES256', use: 'sig' };
  const handlers = {
    ...Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, unused])),
    getKeys: () => Promise.resolve({ jwks: JSON.stringify({ keys: [jwk] }) }),
  };
  const keys = { find: () => key.publicKey, refresh: () => Promise.resolve(), retire: () => undefined };
  return serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [implement(AuthService, handlers as never)],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys, clock: systemClock }), systemClock),
    clock: systemClock,
    log,
  });
}

beforeAll(async () => {
  eventLog = await openEventLog({ kind: 'embedded', log, clock: systemClock });
  auth = await startAuth();
  const env = {
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    MESH_TLS: 'off',
    EVENT_LOG: 'embedded',
    DATABASE_URL: await freshDatabaseUrl(),
    AUTH_ADDRESS: `localhost:${auth.port}`,
  };
  running = await start(readConfig(env), { log, clock: systemClock, eventLog });
  profile = connectMesh(ProfileService, { address: `localhost:${running.url.split(':')[1]}`, tls: undefined, log });
});
afterAll(async () => {
  profile.close();
  await running.stop();
  await auth.stop();
  await eventLog.close();
});

function call(subject: string, audience = 'profile'): OutgoingCall {
  const iat = systemClock.nowMs() / 1000;
  const state = subject.startsWith('u_') ? 'user' : 'guest';
  const claims = {
    iss: 'cloakroom-auth',
    aud: audience,
    sub: subject,
    sid: `h-${subject}`,
    epoch: 1,
    gepoch: 0,
    state,
    acr: '',
    amr: [],
  } as const;
  const passport = signPassport({ ...claims, auth_time: state === 'user' ? iat : 0, txn: 't', region: 'local', iat, exp: iat + 30 }, key);
  return { budgetMs: 10_000, trace: startTrace(randomBytes), passport };
}

const read = async (subject: string): Promise<Profile> => {
  const answer = await profile.client.getProfile(call(subject), {});
  if (isProblem(answer)) throw new Error(answer.problem);
  return answer;
};

async function publish(
  event: MessageInitShape<typeof IdentityEventSchema>['event'],
  signer = key,
  topic: { name: string } = topics.identityEvents,
): Promise<void> {
  const value = Buffer.from(toBinary(IdentityEventSchema, create(IdentityEventSchema, { eventId: 'e', atMs: 1n, event: event! })));
  const jws = signEvent({ ...topics.identityEvents, name: topic.name }, value, signer);
  await eventLog.publish(topics.identityEvents, [{ key: 'u_1', value, headers: { [recordHeaders.signature]: jws } }]);
}

/** Waits until the service has taken every published record. */
const settled = () =>
  vi.waitFor(async () => {
    const lag = await eventLog.lag(identityGroup, topics.identityEvents);
    if (lag.length === 0 || lag.some(({ records }) => records > 0n)) throw new Error('not yet');
  });
const claim = (guestCartId: string, userId: string) => ({ case: 'guestClaimed', value: { guestCartId, userId, loginId: 'l' } }) as const;

it('knows a person by the event of their registration, and a guest joins by the event of the claim, once', async () => {
  await profile.client.updateProfile(call('g_1'), { preferences: { items: { tone: 'warm' } } });
  await profile.client.recordView(call('g_1'), { productId: 'top-hat' });
  await publish({ case: 'accountRegistered', value: { userId: 'u_1', name: 'Ada', email: 'ada@example.com' } });
  await publish(claim('g_1', 'u_1'));
  await vi.waitFor(async () => expect(await read('u_1')).toMatchObject({ recentlyViewed: ['top-hat'] }));
  expect(await read('u_1')).toMatchObject({ name: 'Ada', email: 'ada@example.com', preferences: { tone: 'warm' } });

  await profile.client.updateProfile(call('u_1'), { name: 'Countess', preferences: { items: {} } });
  await publish({ case: 'accountRegistered', value: { userId: 'u_1', name: 'Ada', email: 'ada@example.com' } });
  await publish(claim('g_1', 'u_1'));
  await settled();
  expect(await read('u_1')).toMatchObject({ name: 'Countess', preferences: {}, recentlyViewed: ['top-hat'] });
});

it('passes over a claim that auth did not sign, or signed for another topic', async () => {
  await profile.client.updateProfile(call('g_2'), { preferences: { items: { secret: 'mine' } } });
  await publish(claim('g_2', 'u_thief'), stranger);
  await publish(claim('g_2', 'u_thief'), key, topics.sessionRevocations);
  await settled();
  expect(await read('u_thief')).toMatchObject({ preferences: {} });
  expect(await read('g_2')).toMatchObject({ preferences: { secret: 'mine' } });
  // The same claim is accepted with the right signature. So the signature decided.
  await publish(claim('g_2', 'u_2'));
  await vi.waitFor(async () => expect(await read('u_2')).toMatchObject({ preferences: { secret: 'mine' } }));
});

it('reads an event again, and does not pass it over, while the keys of auth are out of reach', async () => {
  const value = Buffer.from('whatever');
  const record = { topic: topics.identityEvents.name, partition: 3, offset: 7n, key: 'u_1', value, timestampMs: 0 };
  const headers = { [recordHeaders.signature]: signEvent(topics.identityEvents, value, newKey('unknown')) };
  const keys = { find: () => undefined, refresh: () => Promise.reject(new Error('auth is away')), retire: () => undefined };
  const slept: number[] = [];
  const sleep = (ms: number) => Promise.resolve(void slept.push(ms));
  const seek = vi.fn<(topic: string, partition: number, offset: bigint) => void>();
  const batch = { topic: record.topic, partition: 3, records: [{ ...record, headers }], highWatermark: 8n, fetchStartedMs: 0 };
  await takeIdentityEvents({ db: undefined as unknown as Database, keys, clock: systemClock, log, sleep }, batch, { seek });
  expect(seek).toHaveBeenCalledExactlyOnceWith(record.topic, 3, 7n);
  expect(slept).toEqual([500]);
});

it('stops at once while the event log is still looked for', async () => {
  const looking = { ensureTopics: () => new Promise(() => undefined) } as unknown as EventLog;
  const keys = { find: () => undefined, refresh: () => Promise.resolve(), retire: () => undefined };
  const sleep = () => Promise.resolve();
  const events = followIdentityEvents(looking, { db: undefined as unknown as Database, keys, clock: systemClock, log, sleep });
  events.start();
  await expect(Promise.race([events.stop(), vi.waitFor(() => expect.unreachable(), { timeout: 1_000 })])).resolves.toBeUndefined();
});

it('serves a person their own profile by a passport for this service alone', async () => {
  expect(await profile.client.getProfile({ budgetMs: 10_000, trace: startTrace(randomBytes) }, {})).toMatchObject({
    problem: 'session_required',
  });
  expect(await profile.client.getProfile(call('u_1', 'cart'), {})).toMatchObject({ problem: 'invalid_passport' });
  expect(await profile.client.updateProfile(call('g_9'), { name: 'x' })).toMatchObject({ problem: 'sign_in_required' });
});

/** The module with a database that is not there. */
const withoutDatabase = (config: ReturnType<typeof readConfig>, changes: { readonly controllers?: [] } = {}) =>
  Test.createTestingModule({
    imports: [ServiceModule.of({ ...ProfileModule.with(config, { log, clock: systemClock }), ...changes }, [ProfileService])],
  })
    .overrideProvider(databaseToken)
    .useValue({
      onApplicationShutdown: () => void stopped.push('database'),
      selectFrom: () => {
        throw new Error('no database');
      },
    })
    .overrideProvider(keysToken)
    .useValue({ find: () => key.publicKey, refresh: () => Promise.resolve(), retire: () => undefined })
    .compile();
const stopped: string[] = [];

const alone = () =>
  readConfig({
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    MESH_TLS: 'off',
    EVENT_LOG: 'embedded',
    DATABASE_URL: 'sqlite::memory:',
    AUTH_ADDRESS: 'localhost:1',
  });

it('stops its readers of the log before the log closes, and the database after the reader that writes to it', async () => {
  const subscribe = EmbeddedEventLog.prototype.subscribe;
  vi.spyOn(EmbeddedEventLog.prototype, 'subscribe').mockImplementation(async function (this: EmbeddedEventLog, ...given) {
    const subscription = await subscribe.apply(this, given);
    return { ...subscription, stop: () => subscription.stop().then(() => void stopped.push(`reader of ${given[0].topics[0]!.name}`)) };
  });
  vi.spyOn(EmbeddedEventLog.prototype, 'close').mockImplementation(() => Promise.resolve(void stopped.push('log')));
  const module = await withoutDatabase(alone());
  const app = module.createNestMicroservice({ strategy: module.get(MeshTransport), logger: false });
  await app.listen();
  await vi.waitFor(() => expect(EmbeddedEventLog.prototype.subscribe).toHaveBeenCalledTimes(2));
  // A call whose database fails is answered, and the mesh is still up.
  const { client, close } = connectMesh(ProfileService, {
    address: `127.0.0.1:${module.get(MeshTransport).port}`,
    tls: undefined,
    log,
  });
  expect(await client.getProfile(call('u_1'), {})).toMatchObject({ problem: 'internal' });
  close();
  await app.close();
  vi.restoreAllMocks();
  expect(stopped).toEqual([`reader of ${topics.identityEvents.name}`, 'database', `reader of ${topics.sessionRevocations.name}`, 'log']);
});

it('does not start without its controller', async () => {
  const module = await withoutDatabase(alone(), { controllers: [] });
  const app = module.createNestMicroservice({ strategy: module.get(MeshTransport), logger: false });
  await expect(app.listen()).rejects.toThrow('ProfileService/GetProfile has no handler');
  await app.close();
});
