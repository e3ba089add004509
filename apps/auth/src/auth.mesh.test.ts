import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AuthService, deciderOf, recordHeaders, topics } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { askRelayThrough, openKeyRing, openRevocationFeed, verifyEvent } from '@cloakroom/identity';
import { connectMesh, type OutgoingCall } from '@cloakroom/mesh';
import { createLogger, type Running, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { ok } from './auth.harness.ts';
import { readConfig, start } from './auth.module.ts';

const log = createLogger('auth-test', 'silent');
const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const call = (passport?: string): OutgoingCall => ({
  budgetMs: 5_000,
  passport,
  trace: {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
});

async function startAuth(env: Record<string, string> = {}) {
  const config = readConfig({
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    DATABASE_URL: env['DATABASE_URL'] ?? (await freshDatabaseUrl()),
    SESSION_STORE: 'memory',
    EVENT_LOG: 'embedded',
    MESH_TLS: 'off',
    SESSION_MAC_KEY: Buffer.alloc(32, 1).toString('base64url'),
    KEY_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64url'),
    REFRESH_TOKEN_KEY: Buffer.alloc(32, 3).toString('base64url'),
    SEED_ACCOUNTS: 'true',
    // A busy machine signs up again and again.
    REGISTRATION_LIMIT_PER_HOUR: '10000',
    ...env,
  });
  const eventLog = new EmbeddedEventLog({ log, clock: systemClock });
  closing.push(() => eventLog.close());
  const running: Running = await start(config, { log, clock: systemClock, eventLog });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= running.stop());
  closing.push(stop);
  const { client, close } = connectMesh(AuthService, { address: running.url.replace('127.0.0.1', 'localhost'), tls: undefined, log });
  closing.push(close);
  return { client, eventLog, stop, address: running.url.replace('127.0.0.1', 'localhost') };
}

const ada = { email: 'ada@example.com', password: 'correct horse battery staple' };
const grace = { ...ada, email: 'grace@example.com' };

/** For a `us` that is only asked, and asks nobody: nothing listens on port 1. */
const nobodyInEu = { OTHER_REGIONS: 'eu=localhost:1' };

let drawn = 0;
function decidedBy(region: string): string {
  for (;;) {
    const email = `person-${(drawn += 1)}@example.com`;
    if (deciderOf(email, ['eu', 'us']) === region) return email;
  }
}

it('a caller becomes guest, then user, then signed out over the mesh', async () => {
  const { client } = await startAuth();
  const guest = ok(await client.createGuest(call(), { device: { label: 'Firefox' } }));
  const { token, session } = ok(await client.login(call(), { ...ada, currentToken: guest.token }));
  expect(session).toMatchObject({ email: ada.email, claimedGuestCart: guest.session!.subject });
  const { passport } = ok(await client.resolve(call(), { token, audience: 'auth', touch: true }));
  expect(ok(await client.listDevices(call(passport), {})).devices).toMatchObject([{ current: true }]);
  expect(ok(await client.endOtherDevices(call(passport), {})).ended).toBe(0);
  const proved = ok(await client.reauthenticate(call(passport), { token, password: ada.password }));
  expect(ok(await client.resolve(call(), { token })).session).toBeUndefined();
  ok(await client.logout(call(), { token: proved.token }));
  expect(ok(await client.resolve(call(), { token: proved.token })).session).toBeUndefined();
});

it('an account of another region signs in, and without that region the refusal says so', { timeout: 180_000 }, async () => {
  const us = await startAuth({ REGION: 'us', ...nobodyInEu });
  const eu = await startAuth({ REGION: 'eu', SEED_ACCOUNTS: 'false', OTHER_REGIONS: `us=${us.address}` });
  // A machine that is busy elsewhere may miss the seconds that home has for an answer.
  const told = (password: string, expected: object) =>
    vi.waitFor(async () => expect(await eu.client.login(call(), { ...grace, password })).toMatchObject(expected), { timeout: 60_000 });
  await told(grace.password, { session: { email: grace.email, region: 'us' } });
  await told('wrong', { problem: 'invalid_credentials' });
  // The times that a browser sees have no entry of the region that was asked.
  const here = decidedBy('eu');
  ok(await eu.client.register(call(), { email: here, password: 'eight chars', name: 'Here' }));
  for (const email of [here, grace.email, 'nobody@example.com'])
    await vi.waitFor(
      async () => {
        const entries: string[] = [];
        const onTiming: OutgoingCall['onTiming'] = (timings) => entries.push(...timings.map(({ name }) => name));
        await eu.client.login({ ...call(), onTiming }, { email, password: 'wrong' });
        expect(entries).toEqual(['auth']);
      },
      { timeout: 60_000 },
    );
  await us.stop();
  await told(grace.password, { problem: 'home_region_unreachable' });
});

it('an address that the other region decides is claimed there, and without that region it waits', { timeout: 180_000 }, async () => {
  const us = await startAuth({ REGION: 'us', ...nobodyInEu });
  const eu = await startAuth({ REGION: 'eu', SEED_ACCOUNTS: 'false', OTHER_REGIONS: `us=${us.address}` });
  const told = ({ client }: typeof eu, email: string, expected: object) =>
    vi.waitFor(async () => expect(await client.register(call(), { email, password: 'eight chars', name: 'New' })).toMatchObject(expected), {
      timeout: 60_000,
    });
  const waiting = decidedBy('us');
  let email = '';
  // A sign-up whose answer came too late has made an account, so each try takes another address.
  await vi.waitFor(
    async () => {
      email = decidedBy('us');
      const answer = await eu.client.register(call(), { email, password: 'eight chars', name: 'New' });
      expect(answer).toMatchObject({ session: { email, region: 'eu' } });
    },
    { timeout: 60_000 },
  );
  // us has promised it to eu, and nobody answers there.
  await told(us, email, { problem: 'home_region_unreachable' });
  await told(eu, grace.email, { problem: 'email_taken' });
  await us.stop();
  await told(eu, waiting, { problem: 'home_region_unreachable' });
  await vi.waitFor(async () => ok(await eu.client.register(call(), { email: decidedBy('eu'), password: 'eight chars', name: 'New' })), {
    timeout: 60_000,
  });
});

it('a start closes the demo accounts of a used database, and the command makes another administrator', async () => {
  const env = { DATABASE_URL: await freshDatabaseUrl('lasting') };
  const demo = await startAuth(env);
  ok(await demo.client.login(call(), ada));
  await demo.stop();
  const { client } = await startAuth({ ...env, SEED_ACCOUNTS: 'false' });
  for (const email of [ada.email, 'admin@example.com'])
    expect(await client.login(call(), { ...ada, email })).toMatchObject({ problem: 'invalid_credentials' });
  const mary = { email: 'mary@example.com', password: 'seven purple lighthouses', name: 'Mary' };
  const { token } = ok(await client.register(call(), mary));
  const command = [join(import.meta.dirname, 'admin.main.ts'), 'grant', mary.email];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  expect(stdout).toBe('Administrators: mary@example.com\n');
  expect(ok(await client.resolve(call(), { token })).session).toMatchObject({ role: 'admin' });
});

it('a call for a person is refused without a passport', async () => {
  const { client } = await startAuth();
  expect(await client.listDevices(call(), {})).toMatchObject({ problem: 'sign_in_required' });
  const { token } = ok(await client.createGuest(call(), {}));
  const { passport } = ok(await client.resolve(call(), { token, audience: 'auth' }));
  expect(await client.listDevices(call(passport), {})).toMatchObject({ problem: 'sign_in_required' });
});

it('a reader of the feed hears auth: the lease holds, a logout arrives, and both are signed', async () => {
  const { client, eventLog } = await startAuth();
  // The holder of the relay's lease makes the topic soon. A service's feed waits for it (late-feed.ts).
  await eventLog.ensureTopics([topics.sessionRevocations]);
  const keys = openKeyRing({
    fetchJwks: async () => ok(await client.getKeys(call(), {})).jwks,
    log,
  });
  closing.push(() => keys.stop());
  const feed = await openRevocationFeed({
    eventLog,
    topic: topics.sessionRevocations,
    keys,
    verify: async (record) => ((await verifyEvent(record, keys)) ? 'valid' : 'forged'),
    askRelay: askRelayThrough(client),
    clock: systemClock,
    log,
    group: 'start-test',
  });
  closing.push(() => feed.stop());
  await vi.waitFor(() => expect(feed.leaseValid()).toBe(true), { timeout: 3_000 });
  const { token, session } = ok(await client.createGuest(call(), {}));
  const heard = vi.fn<() => void>();
  feed.onRevocation(heard);
  ok(await client.logout(call(), { token }));
  await vi.waitFor(
    () => expect(heard).toHaveBeenCalledWith(expect.objectContaining({ kind: 'token', handle: session!.handle, ended: true })),
    {
      timeout: 3_000,
    },
  );
  const [record] = await readAll(eventLog);
  expect(Object.keys(record!.headers)).toContain(recordHeaders.signature);
});

it('auth says that identity is unavailable while the session store is away, and still gives out its keys', async () => {
  // Nothing listens on port 1.
  const { client } = await startAuth({ SESSION_STORE: 'redis', SESSION_REDIS_URL: 'redis://127.0.0.1:1' });
  expect(await client.createGuest(call(), {})).toMatchObject({ problem: 'identity_unavailable' });
  expect(await client.login(call(), ada)).toMatchObject({ problem: 'identity_unavailable' });
  expect(ok(await client.getKeys(call(), {})).jwks).toContain('ES256');
});

it('accounts and keys survive a restart', async () => {
  const DATABASE_URL = await freshDatabaseUrl('lasting');
  const first = await startAuth({ DATABASE_URL });
  ok(await first.client.register(call(), { email: 'new@example.com', password: 'eight chars', name: 'New' }));
  const { jwks } = ok(await first.client.getKeys(call(), {}));
  await first.stop();
  const second = await startAuth({ DATABASE_URL });
  ok(await second.client.login(call(), { email: 'new@example.com', password: 'eight chars' }));
  expect(ok(await second.client.getKeys(call(), {})).jwks).toBe(jwks);
});

async function readAll(eventLog: EmbeddedEventLog) {
  const records: { headers: object }[] = [];
  const subscription = await eventLog.subscribe({
    group: 'start-test-reader',
    topics: [topics.sessionRevocations],
    from: 'earliest',
    handler: (batch) => Promise.resolve(void records.push(...batch.records)),
  });
  await vi.waitFor(() => expect(records).not.toEqual([]));
  await subscription.stop();
  return records;
}
