/**
 * PostgreSQL by `pg`. Every wait has a bound, in the client and again in the server. The client's bound ends a statement at a paused or partitioned
 * server. The server's bound releases the locks of a killed client. A broken connection is thrown away, never pooled, and its statement fails with
 * DatabaseUnavailable.
 */
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type { Migration } from 'kysely/migration';
import { Client, DatabaseError, Pool, types, type ClientConfig, type PoolClient } from 'pg';
import { asUnavailable, breaksConnection } from './database.postgres.errors.ts';
import { DatabaseUnavailable, reasonOf } from './database.unavailable.ts';
import type { Logger } from '../log.ts';

export interface DatabaseOptions {
  /** Shown by pg_stat_activity as `cloakroom-<name>`. */
  readonly name: string;
  readonly log: Logger;
  /**
   * Additions with which an earlier build still runs and starts: a rolling update needs both, and so does undoing one. By name, each once, after the
   * migrations. They are counted in a table of their own, which earlier builds do not look at.
   */
  readonly expansions?: Readonly<Record<string, Migration>>;
  /** The password for a URL that holds none, so that the URL itself need not be a secret. */
  readonly password?: string | undefined;
}

/**
 * A server's default is 100 connections: three services, three replicas each, and an operator fit. Queries take a few ms, so ten serve thousands a
 * second.
 */
const connectionCountMax = 10;
/** How long a query waits for a free or new connection: a request's budget is 1 s and more. */
const connectionTimeoutMs = 1_000;
/** Any statement of a request reads an index. A longer one means that something is wrong, and its connection is needed. */
const statementTimeoutMs = 2_000;
/** Transactions wait for each other for milliseconds. This is below the statement's bound, so that the log tells the two apart. */
const lockTimeoutMs = 1_000;
/** A process that stopped between two statements loses its row locks after this. */
const idleInTransactionMs = 5_000;
/** For a server that does not even report that time is up. */
const answerTimeoutMs = 3_000;
/** A connection of a quiet service goes back to the server. */
const idleConnectionMs = 60_000;

/** Long tables take long, and a replica waits as long for another's migration. Beyond this the start fails, and the supervisor tries again. */
const migrationTimeoutMs = 300_000;

/** A supervisor gives a service 90 s to become ready. This bound fails before, with a message. */
const startWaitMs = 60_000;
const startRetryMs = 250;
/** A connection at the start may take seconds, while a whole shop starts beside it. No request waits for it yet. */
const startConnectionMs = 10_000;

/** Errors that no waiting mends: wrong password or user, not let in, no such database (SQLSTATE, appendix A). */
const refusals: Readonly<Record<string, string>> = {
  '28P01': 'the password or the user is wrong',
  '28000': 'it does not let this user in from here',
  '3D000': 'it has no such database',
  '42501': 'this user may not use it',
};

type Purpose = 'requests' | 'migrations';

export function openPostgres<Schema>(url: string, options: DatabaseOptions, purpose: Purpose): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPool(url, options, purpose) }) });
}

/** Every connection of ours is made with these. */
export function connectionTo(url: string, { name, password }: DatabaseOptions): ClientConfig {
  const withPassword = new URL(url);
  if (withPassword.password === '' && password !== undefined) withPassword.password = password;
  return {
    connectionString: withPassword.href,
    application_name: `cloakroom-${name}`,
    connectionTimeoutMillis: connectionTimeoutMs,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  };
}

function openPool(url: string, options: DatabaseOptions, purpose: Purpose): PostgresPool {
  const bounds =
    purpose === 'migrations'
      ? { max: 1, connectionTimeoutMillis: startConnectionMs, statement_timeout: migrationTimeoutMs, lock_timeout: migrationTimeoutMs }
      : {
          max: connectionCountMax,
          statement_timeout: statementTimeoutMs,
          lock_timeout: lockTimeoutMs,
          idle_in_transaction_session_timeout: idleInTransactionMs,
          query_timeout: answerTimeoutMs,
        };
  const pool = new Pool({ ...connectionTo(url, options), ...bounds, idleTimeoutMillis: idleConnectionMs });
  let reported = '';
  const report = (error: Error): void => {
    // Once per outage, not once per connection.
    if (error.message === reported) return;
    reported = error.message;
    options.log.warn({ database: postgresPlace(url), reason: reasonOf(error) }, 'database connection failed');
  };
  // Idle clients fail here, and clients in use fail between two statements below. Either error would end the process without a listener.
  pool.on('error', report);
  pool.on('connect', (client) => {
    client.on('error', report);
    reported = '';
  });
  const watched = new WeakMap<PoolClient, PostgresPoolClient>();
  return {
    options: {},
    connect: async () => {
      const client = await pool.connect().catch((error: unknown) => {
        throw asUnavailable(error);
      });
      const known = watched.get(client) ?? watch(client);
      watched.set(client, known);
      return known;
    },
    end: () => pool.end(),
  };
}

function watch(client: PoolClient): PostgresPoolClient {
  let broken = false;
  const query = async (statement: string, parameters: readonly unknown[]): Promise<unknown> => {
    // The statement would wait behind an unanswered one. Most often it is a rollback after a time-out.
    if (broken) throw new DatabaseUnavailable('the database connection is broken');
    try {
      return await client.query(statement, [...parameters]);
    } catch (error) {
      broken ||= breaksConnection(error);
      throw asUnavailable(error);
    }
  };
  return { query: query as PostgresPoolClient['query'], release: (destroy) => client.release(destroy === true || broken) };
}

/** int8 as a number: our milliseconds, counts and sequences are below 2^53. A larger value must not be rounded in silence. */
function parserOf(oid: number, format?: 'text' | 'binary'): (value: string | Buffer) => unknown {
  if (oid === types.builtins.INT8 && format !== 'binary') return safeInteger;
  return types.getTypeParser(oid, format as 'text') as (value: string | Buffer) => unknown;
}

function safeInteger(text: string | Buffer): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('an int8 of the database is beyond what a number can hold');
  return value;
}

/** host:port/database, for logs: neither user nor password. */
export function postgresPlace(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || '5432'}${pathname}`;
}

/** @throws at once when the server refuses us for good, or when it does not answer within `startWaitMs` */
export async function waitForPostgres(url: string, options: DatabaseOptions, waitMs = startWaitMs): Promise<void> {
  const until = performance.now() + waitMs;
  const place = postgresPlace(url);
  for (let told = false; ;) {
    try {
      await askOnce(connectionTo(url, options));
      if (told) options.log.info({ database: place }, 'the database answers');
      return;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) throw new Error(`the database ${place} refuses us: ${refusal}. Check DATABASE_URL`, { cause: error });
      if (performance.now() >= until)
        throw new Error(`the database ${place} did not answer within ${waitMs / 1000} s: ${reasonOf(error)}`, { cause: error });
      if (!told) options.log.warn({ database: place, reason: reasonOf(error) }, 'waiting for the database');
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, startRetryMs));
  }
}

async function askOnce(connection: ClientConfig): Promise<void> {
  const client = new Client({ ...connection, connectionTimeoutMillis: startConnectionMs, query_timeout: answerTimeoutMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    // Not waited for, because a hung server would not answer that either.
    client.end().catch(() => undefined);
  }
}

function refusalOf(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return refusals[error.code ?? ''];
  return error instanceof Error && /does not support SSL|SASL|password must be a string/.test(error.message) ? error.message : undefined;
}
