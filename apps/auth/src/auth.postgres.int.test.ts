/** Runs every use of auth's database on a real PostgreSQL. Also covers faults that need several replicas on one database. */
import { fromBinary } from '@bufbuild/protobuf';
import { AuthService, isProblem, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { connectMesh } from '@cloakroom/mesh';
import { createLogger, startTrace, systemClock } from '@cloakroom/platform';
import { MemorySessionStore } from '@cloakroom/session';
import { asAdmin, dropFreshDatabases, freshDatabaseUrl, useFreshPostgres, watchCrowd } from '@cloakroom/testing';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { guest, type Harness, ok, openHarness, outboxOf, signIn, signUp } from './auth.harness.ts';
import { raiseEpoch } from './revocation/epochs.ts';
import { announceRevocation } from './database/outbox.ts';
import { beatOnce, publishRows } from './operations/relay.ts';
import { readConfig, start } from './auth.module.ts';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
afterAll(() => useFreshPostgres(undefined));
const withPostgres = adminUrl === undefined ? describe.skip : describe;
const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await dropFreshDatabases();
});

/** Two replicas of auth: a pool each, one database, one session store. */
async function openReplicas(): Promise<[Harness, Harness]> {
  const [url, store] = [await freshDatabaseUrl(), new MemorySessionStore({ incarnation: 'shared' })];
  const opened = await Promise.all([openHarness({ url, store }), openHarness({ url, store })]);
  // Both replicas draw from one source of randomness, so they never draw the same value.
  return opened.map((harness) => ({ ...harness, auth: { ...harness.auth, random: randomBytes } })) as unknown as [Harness, Harness];
}

const announce = ({ auth }: Harness, key: string, then: () => Promise<unknown>) =>
  auth.outbox.commit(async (trx) => {
    await announceRevocation(trx, undefined, key, '', { event: { case: 'keyRetired', value: { kid: key } } });
    await then();
  });

withPostgres('on PostgreSQL', () => {
  describe('claims abroad', async () => {
    await import('./sign-in/claim-abroad.test.ts');
  });
  describe('devices', async () => {
    await import('./sessions/devices.test.ts');
  });
  describe('login', async () => {
    await import('./sign-in/login.test.ts');
  });
  describe('register', async () => {
    await import('./sign-in/register.test.ts');
  });
  describe('relay', async () => {
    await import('./operations/relay.test.ts');
  });
  describe('replay', async () => {
    await import('./revocation/replay.test.ts');
  });
  describe('resolve', async () => {
    await import('./tokens/resolve.test.ts');
  });
  describe('revocations', async () => {
    await import('./revocation/revocations.test.ts');
  });
  describe('signing keys', async () => {
    await import('./tokens/signing-keys.test.ts');
  });
  describe('notices', async () => {
    await import('./accounts/notices.test.ts');
  });
  describe('challenges', async () => {
    await import('./factors/challenges.test.ts');
  });
  describe('change password', async () => {
    await import('./sign-in/change-password.test.ts');
  });
  describe('totp', async () => {
    await import('./factors/totp.test.ts');
  });
  describe('passkeys', async () => {
    await import('./factors/passkeys.test.ts');
  });
  describe('administration', async () => {
    await import('./admin/administration.test.ts');
  });
  describe('start', async () => {
    await import('./auth.mesh.test.ts');
  });
});

withPostgres('two replicas on one PostgreSQL', () => {
  it('give one guest cart to exactly one of two users who sign in with it at once', async () => {
    const [one, other] = await openReplicas();
    ok(await signUp(one, 'ada@example.com'));
    ok(await signUp(other, 'grace@example.com'));
    for (let round = 0; round < 10; round += 1) {
      const before = await guest(one);
      const answers = await Promise.all([signIn(one, 'ada@example.com', before.token), signIn(other, 'grace@example.com', before.token)]);
      const claims = answers.map((answer) => (isProblem(answer) ? '' : answer.session?.claimedGuestCart)).filter(Boolean);
      expect(claims).toEqual([before.subject]);
    }
    expect((await outboxOf(one)).filter(({ event }) => event.includes('guestClaimed'))).toHaveLength(10);
  });

  it('make one account of two registrations at once', async () => {
    const [one, other] = await openReplicas();
    for (let round = 0; round < 10; round += 1) {
      const email = `ada${round}@example.com`;
      const answers = await Promise.all([signUp(one, email), signUp(other, email)]);
      expect(answers.filter(isProblem)).toMatchObject([{ problem: 'email_taken' }]);
    }
    expect(await one.auth.database.selectFrom('accounts').selectAll().execute()).toHaveLength(10);
  });

  it('never raise a person to the same epoch twice', async () => {
    const [one, other] = await openReplicas();
    const raised = await Promise.all(Array.from({ length: 20 }, (_, i) => raiseEpoch([one, other][i % 2]!.auth, undefined, 'u_1')));
    expect(new Set(raised).size).toBe(20);
    const rows = await one.auth.database.selectFrom('epochs').select('epoch').execute();
    expect(rows).toEqual([{ epoch: Math.max(...raised) }]);
  });

  it('make one signing key at a first start at the same moment, and one active key of two rotations', async () => {
    const [one, other] = await openReplicas();
    expect(one.auth.keys.jwks()).toBe(other.auth.keys.jwks());
    await Promise.all([one.auth.keys.rotate(false, undefined), other.auth.keys.rotate(false, undefined)]);
    await Promise.all([one.auth.keys.reload(), other.auth.keys.reload()]);
    expect(one.auth.keys.active().kid).toBe(other.auth.keys.active().kid);
    const rows = await one.auth.database.selectFrom('signing_keys').select('state').execute();
    expect(rows.filter(({ state }) => state === 'active')).toHaveLength(1);
  });

  it('trust no key that another has retired, once they have looked', async () => {
    const [one, other] = await openReplicas();
    const { kid } = other.auth.keys.active();
    ok(await one.auth.keys.rotate(true, undefined));
    await other.auth.keys.reload();
    expect(other.auth.keys.find(kid)).toBeUndefined();
    expect(other.auth.keys.jwks()).toBe(one.auth.keys.jwks());
  });
});

withPostgres('the outbox on PostgreSQL', () => {
  it('lets no row become visible before one that has a smaller number', async () => {
    const [one, other] = await openReplicas();
    let seen = 0;
    let writing = true;
    const watch = async (): Promise<void> => {
      while (writing) {
        const rows = await one.auth.database.selectFrom('outbox').select('sequence').orderBy('sequence').execute();
        // New rows come after all rows that were there.
        expect(rows.slice(0, seen).map(({ sequence }) => sequence)).toEqual(known.slice(0, seen));
        known.splice(0, known.length, ...rows.map(({ sequence }) => sequence));
        seen = known.length;
      }
    };
    const known: number[] = [];
    const watching = watch();
    const write = (harness: Harness, name: string) =>
      Promise.all(Array.from({ length: 40 }, (_, i) => announce(harness, `${name}${i}`, () => new Promise(setImmediate))));
    await Promise.all([write(one, 'a'), write(other, 'b')]);
    writing = false;
    await watching;
    expect(await outboxOf(one, topics.sessionRevocations)).toHaveLength(80);
  });

  it('publishes the earlier transaction first, however long it takes, and beats for neither before it is out', async () => {
    const [one, other] = await openReplicas();
    const finish = Promise.withResolvers<void>();
    const first = announce(one, 'first', () => finish.promise);
    await vi.waitFor(async () => expect(await asAdmin("select 1 from pg_locks where locktype = 'advisory' and granted")).not.toEqual([]));
    const second = announce(other, 'second', () => Promise.resolve());
    // The second has begun and waits: nothing is visible, and a heartbeat now promises nothing about either.
    await vi.waitFor(async () =>
      expect(await asAdmin("select 1 from pg_locks where locktype = 'advisory' and not granted")).toHaveLength(1),
    );
    expect(await outboxOf(other, topics.sessionRevocations)).toEqual([]);
    expect(await beatOnce(other.relay)).toBe(true);
    finish.resolve();
    await Promise.all([first, second]);
    expect(await beatOnce(other.relay)).toBe(false);
    await publishRows(other.relay, topics.sessionRevocations);
    expect(other.eventLog.of(topics.sessionRevocations).map(({ key }) => key)).toEqual(['session.revocations', 'first', 'second']);
  });

  it('answers unavailable, not late, when another transaction never ends', async () => {
    const [one, other] = await openReplicas();
    const finish = Promise.withResolvers<void>();
    const first = announce(one, 'first', () => finish.promise);
    await vi.waitFor(async () => expect(await asAdmin("select 1 from pg_locks where locktype = 'advisory' and granted")).not.toEqual([]));
    await expect(announce(other, 'second', () => Promise.resolve())).rejects.toMatchObject({ name: 'DatabaseUnavailable' });
    finish.resolve();
    await first;
  });
});

withPostgres('two auth processes', () => {
  const log = createLogger('auth-test', 'silent');

  async function startTwo() {
    const eventLog = new EmbeddedEventLog({ log, clock: systemClock });
    closing.push(() => eventLog.close());
    await eventLog.ensureTopics([topics.sessionRevocations]);
    const DATABASE_URL = await freshDatabaseUrl();
    const startOne = async (REPLICA: string) => {
      const config = readConfig({
        REPLICA,
        LISTEN_PORT: '0',
        ADMIN_PORT: '0',
        DATABASE_URL,
        SESSION_STORE: 'memory',
        EVENT_LOG: 'embedded',
        MESH_TLS: 'off',
        SESSION_MAC_KEY: Buffer.alloc(32, 1).toString('base64url'),
        KEY_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64url'),
        REFRESH_TOKEN_KEY: Buffer.alloc(32, 3).toString('base64url'),
        SEED_ACCOUNTS: 'true',
      });
      const running = await start(config, { log, clock: systemClock, eventLog });
      let stopped: Promise<void> | undefined;
      const stop = () => (stopped ??= running.stop());
      closing.push(stop);
      const { client, close } = connectMesh(AuthService, { address: running.url.replace('127.0.0.1', 'localhost'), tls: undefined, log });
      closing.push(close);
      return { client, stop };
    };
    // The replicas start at the same moment, yet make migrations, seeds and keys only once.
    const replicas = await Promise.all([startOne('1'), startOne('2')]);
    const heard: { boot?: string; kid?: string; atMs: number }[] = [];
    const subscription = await eventLog.subscribe({
      group: 'two-auths',
      topics: [topics.sessionRevocations],
      from: 'earliest',
      handler: ({ records }) => {
        for (const { value } of records) {
          const { event } = fromBinary(RevocationEventSchema, value!);
          const atMs = performance.now();
          if (event.case === 'heartbeat') heard.push({ boot: event.value.boot, atMs });
          else if (event.case === 'sessionRevoked') heard.push({ kid: event.value.subject, atMs });
        }
        return Promise.resolve();
      },
    });
    closing.push(() => subscription.stop());
    const boots = () => [...new Set(heard.flatMap(({ boot }) => boot ?? []))];
    return { replicas, heard, boots, database: new URL(DATABASE_URL).pathname.slice(1) };
  }
  const holder = async (database: string): Promise<number> => {
    const rows = await asAdmin(
      `select l.pid from pg_locks l join pg_database d on d.oid = l.database join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and d.datname = '${database}' and a.query not like '%xact%'`,
    );
    expect(rows).toHaveLength(1);
    return rows[0]!['pid'] as number;
  };
  const call = () => ({ budgetMs: 5_000, trace: startTrace(randomBytes) });

  it('answer both with the clock of the one that relays, and of its successor when that one is gone', async () => {
    const { replicas, boots, database } = await startTwo();
    await vi.waitFor(() => expect(boots()).toHaveLength(1));
    const clockOf = async (replica: (typeof replicas)[number]) => ok(await replica.client.readBeatClock(call(), {}));
    await vi.waitFor(async () => {
      for (const replica of replicas) expect((await clockOf(replica)).boot).toBe(boots()[0]);
    });
    // Every replica reads one clock, which goes on from answer to answer.
    const told = [await clockOf(replicas[0]!), await clockOf(replicas[1]!), await clockOf(replicas[0]!)].map(({ beatMs }) =>
      Number(beatMs),
    );
    expect(told.toSorted((a, b) => a - b)).toEqual(told);
    await asAdmin(`select pg_terminate_backend(${await holder(database)})`);
    await vi.waitFor(() => expect(boots()).toHaveLength(2));
    await vi.waitFor(async () => {
      for (const replica of replicas) expect((await clockOf(replica)).boot).toBe(boots()[1]);
    });
  });

  it('have one relay, which takes over at once when the other stops, as a boot of its own', async () => {
    const { replicas, heard, boots } = await startTwo();
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(4));
    expect(boots()).toHaveLength(1);
    // Either replica may hold the lease. A notice of the database soon brings the commits of both to it.
    for (const { client } of replicas) {
      const { token, session } = ok(await client.createGuest(call(), {}));
      const [crowd, askedMs] = [watchCrowd(), performance.now()];
      ok(await client.logout(call(), { token }));
      await vi.waitFor(() => expect(heard).toContainEqual(expect.objectContaining({ kid: session!.subject })), {
        interval: 5,
      });
      expect(performance.now() - askedMs).toBeLessThan(crowd.roomMs(400));
    }
    await replicas[0]!.stop();
    const { length } = heard;
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(length + 2));
    await replicas[1]!.stop();
    expect(boots().length).toBeLessThanOrEqual(2);
  });

  it('hand the relay over when the holder’s session is lost, and never beat alternately', async () => {
    const { heard, boots, database } = await startTwo();
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(1));
    await asAdmin(`select pg_terminate_backend(${await holder(database)})`);
    await vi.waitFor(() => expect(boots()).toHaveLength(2));
    await vi.waitFor(() => expect(heard.filter(({ boot }) => boot === boots()[1]).length).toBeGreaterThan(3));
    // All heartbeats of the one boot come before all of the other.
    const said = heard.flatMap(({ boot }) => boot ?? []);
    const turns = said.filter((boot, i) => boot !== said[i - 1]);
    expect(turns).toEqual(boots());
    await holder(database);
  });
});
