import { spawn } from 'node:child_process';
import { asAdmin, dropFreshDatabases, freshDatabaseUrl, openTcpProxy, type TcpProxy, useFreshPostgres, watchCrowd } from '../index.ts';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger, type DatabaseUnavailable } from '@cloakroom/platform';
import { openDatabase, openLease } from '@cloakroom/platform/database';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
afterAll(() => useFreshPostgres(undefined));
const withPostgres = adminUrl === undefined ? describe.skip : describe;
const options = { name: 'test', log: createLogger('test', 'silent') };
const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await dropFreshDatabases();
});

interface Schema {
  notes: { id: string; at: number };
}
const notes: Migration = {
  up: async (db) => {
    await db.schema
      .createTable('notes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('at', 'bigint')
      .execute();
  },
};
const unavailable = { name: 'DatabaseUnavailable' } satisfies Partial<DatabaseUnavailable>;

async function open(url: string, migrations: Record<string, Migration> = { '001-notes': notes }): Promise<Kysely<Schema>> {
  const db = await openDatabase<Schema>(url, migrations, options);
  closing.push(() => db.destroy());
  return db;
}
const pidOf = async (db: Kysely<Schema>): Promise<number> =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]!.pid;
const killBackend = (pid: number) => asAdmin(`select pg_terminate_backend(${pid})`);

/** The same database, by a way that can be cut. */
async function behindProxy(): Promise<{ readonly url: string; readonly proxy: TcpProxy }> {
  const url = new URL(await freshDatabaseUrl());
  const proxy = await openTcpProxy({ port: Number(url.port), host: url.hostname, protocol: 'any' });
  closing.push(() => proxy.close());
  url.port = String(proxy.port);
  return { url: url.href, proxy };
}

withPostgres('starting', () => {
  it('migrates once when three replicas start at the same moment', async () => {
    const url = await freshDatabaseUrl();
    let runs = 0;
    const counted: Migration = {
      up: async (db) => {
        runs += 1;
        await sql`select pg_sleep(0.2)`.execute(db);
        await notes.up(db);
      },
    };
    const opened = await Promise.all([1, 2, 3].map(() => open(url, { '001-notes': counted })));
    expect(runs).toBe(1);
    for (const db of opened) expect(await db.selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('applies nothing of a migration that fails', async () => {
    const url = await freshDatabaseUrl();
    const half: Migration = {
      up: async (db) => {
        await notes.up(db);
        throw new Error('half-way');
      },
    };
    await expect(open(url, { '001-notes': half })).rejects.toThrow('a migration failed');
    await open(url);
  });

  it('fails at once, saying why and showing no password, when the password is wrong or the database missing', async () => {
    const url = new URL(await freshDatabaseUrl());
    url.password = 'hunter2';
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    await expect(open(url.href)).rejects.toThrow(/refuses us: the password or the user is wrong\. Check DATABASE_URL/);
    await expect(open(url.href)).rejects.not.toThrow(/hunter2/);
    const missing = new URL(adminUrl!);
    missing.pathname = '/nowhere';
    await expect(open(missing.href)).rejects.toThrow(/127\.0\.0\.1:\d+\/nowhere refuses us: it has no such database/);
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(2_000));
  });

  it('takes the password from beside the URL', async () => {
    const url = new URL(await freshDatabaseUrl());
    const { password } = url;
    url.password = '';
    await (await openDatabase(url.href, {}, { ...options, password: decodeURIComponent(password) })).destroy();
  });

  it('waits for a server that is not there yet', async () => {
    const { url, proxy } = await behindProxy();
    proxy.cut();
    const opened = open(url);
    await expect(Promise.race([opened, Promise.resolve('still waiting')])).resolves.toBe('still waiting');
    proxy.mend();
    expect(await (await opened).selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('starts at a server that takes longer for a new connection than any request would wait', async () => {
    const { url, proxy } = await behindProxy();
    // A connection needs several answers of the server.
    proxy.delay(600, 'answers');
    const opened = await open(url);
    proxy.delay(0);
    expect(await opened.selectFrom('notes').selectAll().execute()).toEqual([]);
  });
});

withPostgres('queries', () => {
  it('reads int8 as a number, and refuses one that a number cannot hold', async () => {
    const db = await open(await freshDatabaseUrl());
    await db.insertInto('notes').values({ id: 'a', at: Number.MAX_SAFE_INTEGER }).execute();
    expect(await db.selectFrom('notes').selectAll().execute()).toEqual([{ id: 'a', at: Number.MAX_SAFE_INTEGER }]);
    expect(
      await db
        .selectFrom('notes')
        .select((row) => row.fn.countAll<number>().as('count'))
        .execute(),
    ).toEqual([{ count: 1 }]);
    await sql`update notes set at = 9007199254740992`.execute(db);
    await expect(db.selectFrom('notes').selectAll().execute()).rejects.toThrow(RangeError);
  });

  it('says who is connected', async () => {
    const db = await open(await freshDatabaseUrl());
    const { rows } = await sql<{ name: string }>`select current_setting('application_name') as name`.execute(db);
    expect(rows).toEqual([{ name: 'cloakroom-test' }]);
  });

  it('makes a connection that is lost under a query, or between two of a transaction, unavailable, and then works again', async () => {
    const db = await open(await freshDatabaseUrl());
    const pid = await pidOf(db);
    const lost = sql`select pg_sleep(5)`.execute(db).catch((error: unknown) => error);
    await vi.waitFor(async () =>
      expect(await asAdmin(`select 1 from pg_stat_activity where wait_event = 'PgSleep' and pid = ${pid}`)).toHaveLength(1),
    );
    await killBackend(pid);
    expect(await lost).toMatchObject(unavailable);
    const idle = db.transaction().execute(async (trx) => {
      await trx.insertInto('notes').values({ id: 'lost', at: 1 }).execute();
      await killBackend(await pidOf(trx));
      await trx.insertInto('notes').values({ id: 'lost too', at: 1 }).execute();
    });
    await expect(idle).rejects.toMatchObject(unavailable);
    expect(await db.selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('survives the loss of its idle connections', async () => {
    const db = await open(await freshDatabaseUrl());
    await killBackend(await pidOf(db));
    // The first query after may still meet the dead connection.
    await vi.waitFor(async () => expect(await db.selectFrom('notes').selectAll().execute()).toEqual([]));
  });

  it('answers unavailable within its bound while the server is silent, and is back when that is', async () => {
    const { url, proxy } = await behindProxy();
    const db = await open(url);
    await db.insertInto('notes').values({ id: 'a', at: 1 }).execute();
    proxy.mute();
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    await expect(
      db.transaction().execute(async (trx) => {
        await trx.selectFrom('notes').selectAll().execute();
      }),
    ).rejects.toMatchObject(unavailable);
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(4_000));
    proxy.mend();
    await vi.waitFor(async () => expect(await db.selectFrom('notes').selectAll().execute()).toHaveLength(1));
  });

  it('gives up a lock and a statement that take too long, and keeps the connection', async () => {
    const db = await open(await freshDatabaseUrl());
    await db.insertInto('notes').values({ id: 'a', at: 1 }).execute();
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('notes').set({ at: 2 }).execute();
      await expect(db.updateTable('notes').set({ at: 3 }).execute()).rejects.toMatchObject({ ...unavailable, cause: { code: '55P03' } });
    });
    await expect(sql`select pg_sleep(4)`.execute(db)).rejects.toMatchObject({ ...unavailable, cause: { code: '57014' } });
    expect(await db.selectFrom('notes').select('at').execute()).toEqual([{ at: 2 }]);
  });

  it('refuses rather than queues for ever when every connection is in use', async () => {
    const db = await open(await freshDatabaseUrl());
    const busy = Array.from({ length: 10 }, () => sql`select pg_sleep(1.5)`.execute(db));
    await expect(db.selectFrom('notes').selectAll().execute()).rejects.toMatchObject(unavailable);
    await Promise.all(busy);
    expect(await db.selectFrom('notes').selectAll().execute()).toEqual([]);
  });

  it('throws what is wrong with the statement itself as it is', async () => {
    const db = await open(await freshDatabaseUrl());
    await db.insertInto('notes').values({ id: 'a', at: 1 }).execute();
    await expect(db.insertInto('notes').values({ id: 'a', at: 1 }).execute()).rejects.toMatchObject({ code: '23505' });
  });
});

withPostgres('a lease', () => {
  /** A contender that notes each tenure; `by` tells the way to the server. */
  async function contend(url: string) {
    const tenures: { readonly ended: AbortSignal; readonly confirm: () => Promise<void> }[] = [];
    const notices: string[] = [];
    const lease = await openLease(url, 'test_lease', options);
    lease.onNotice(() => notices.push('notice'));
    lease.hold(async (tenure) => {
      tenures.push(tenure);
      await new Promise<void>((resolve) => tenure.ended.addEventListener('abort', () => resolve(), { once: true }));
    });
    closing.push(() => lease.stop());
    return { lease, tenures, notices };
  }
  const pidOfHolder = async (url: string): Promise<number> => {
    const rows = await asAdmin(
      `select pid from pg_locks join pg_database on pg_database.oid = database where locktype = 'advisory' and granted and datname = '${new URL(url).pathname.slice(1)}'`,
    );
    expect(rows).toHaveLength(1);
    return rows[0]!['pid'] as number;
  };

  it('is held by one, and goes over at once when that one stops', async () => {
    const url = await freshDatabaseUrl();
    const first = await contend(url);
    await vi.waitFor(() => expect(first.lease.held()).toBe(true));
    const second = await contend(url);
    await first.tenures[0]!.confirm();
    expect(second.lease.held()).toBe(false);
    await first.lease.stop();
    expect(first.tenures[0]!.ended.aborted).toBe(true);
    await vi.waitFor(() => expect(second.lease.held()).toBe(true));
  });

  it('ends before another begins when the session is lost, and cannot be confirmed any more', async () => {
    const url = await freshDatabaseUrl();
    const [first, second] = [await contend(url), await contend(url)];
    await vi.waitFor(() => expect(first.lease.held() || second.lease.held()).toBe(true));
    const [holder, standBy] = first.lease.held() ? [first, second] : [second, first];
    await killBackend(await pidOfHolder(url));
    await vi.waitFor(() => expect(standBy.lease.held()).toBe(true), { timeout: 3_000 });
    expect(holder.tenures[0]!.ended.aborted).toBe(true);
    await expect(holder.tenures[0]!.confirm()).rejects.toThrow();
    await pidOfHolder(url);
  });

  it('is taken from a holder that the server does not hear any more', async () => {
    const { url, proxy } = await behindProxy();
    const holder = await contend(url);
    await vi.waitFor(() => expect(holder.lease.held()).toBe(true));
    const direct = new URL(url);
    direct.port = new URL(adminUrl!).port;
    const standBy = await contend(direct.href);
    // Questions are heard and answers lost: the holder must give up by itself.
    proxy.mute();
    await vi.waitFor(() => expect(holder.tenures[0]!.ended.aborted).toBe(true));
    await vi.waitFor(() => expect(standBy.lease.held()).toBe(true));
    expect(holder.lease.held()).toBe(false);
  });

  it('is taken from a process that is paused, which notices when it goes on', async () => {
    const url = await freshDatabaseUrl();
    const script = `
      import { openLease } from ${JSON.stringify(new URL('../../../platform/src/database/database.lease.ts', import.meta.url).href)};
      const log = { info() {}, warn() {} };
      (await openLease(process.env.LEASE_URL, 'test_lease', { name: 'paused', log })).hold(async ({ ended, confirm }) => {
        console.log('holds');
        await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
        await confirm().then(() => console.log('confirmed'), () => console.log('refused'));
      });`;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'], LEASE_URL: url },
      },
    );
    closing.push(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await vi.waitFor(() => expect(said).toBe('holds\n'));
    const standBy = await contend(url);
    child.kill('SIGSTOP');
    const pausedMs = performance.now();
    await vi.waitFor(() => expect(standBy.lease.held()).toBe(true));
    expect(performance.now() - pausedMs).toBeGreaterThan(2_000);
    child.kill('SIGCONT');
    await vi.waitFor(() => expect(said).toBe('holds\nrefused\n'));
    expect(standBy.lease.held()).toBe(true);
  });

  it('has the holder answer what a stand-by asks, whoever holds it, and nobody where nobody does', async () => {
    const url = await freshDatabaseUrl();
    const asked = async (name: string) => {
      const { lease, notices } = await contend(url);
      lease.onQuestion(() => `${name} holds it`);
      return { lease, notices };
    };
    const first = await asked('first');
    await vi.waitFor(() => expect(first.lease.held()).toBe(true));
    const second = await asked('second');
    await vi.waitFor(async () => expect(await second.lease.askHolder()).toBe('first holds it'));
    expect(await first.lease.askHolder()).toBe('first holds it');
    // A question is no notice.
    expect(first.notices).toEqual([]);
    await first.lease.stop();
    expect(await first.lease.askHolder()).toBeUndefined();
    await vi.waitFor(async () => expect(await second.lease.askHolder()).toBe('second holds it'));
  });

  it('is not waited for by who asks while nobody answers', async () => {
    const { url, proxy } = await behindProxy();
    const holder = await contend(url);
    await vi.waitFor(() => expect(holder.lease.held()).toBe(true));
    const direct = new URL(url);
    direct.port = new URL(adminUrl!).port;
    const standBy = await contend(direct.href);
    holder.lease.onQuestion(() => 'here');
    await vi.waitFor(async () => expect(await standBy.lease.askHolder()).toBe('here'));
    proxy.mute();
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    expect(await standBy.lease.askHolder()).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(1_000));
  });

  it('tells the holder what another process notifies', async () => {
    const url = await freshDatabaseUrl();
    const holder = await contend(url);
    await vi.waitFor(() => expect(holder.lease.held()).toBe(true));
    const db = await open(url);
    await sql`select pg_notify('test_lease', '')`.execute(db);
    await vi.waitFor(() => expect(holder.notices).toEqual(['notice']));
  });
});
