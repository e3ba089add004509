/**
 * The database that a suite runs on: SQLite in memory, unless a `.int.test.ts` said `useFreshPostgres` before it imported the suite. So the
 * same tests run on both, and none of them knows which.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

let adminUrl: string | undefined;
const made: string[] = [];

/**
 * @param url of a superuser, on a server that may be shared: every database made here has a name of its own. Undefined once all tests of the
 * file are through: the next file of the process is on SQLite again
 */
export function useFreshPostgres(url: string | undefined): void {
  adminUrl = url;
}

/** @param lasting when the test opens it a second time */
export async function freshDatabaseUrl(lasting: 'lasting' | 'passing' = 'passing'): Promise<string> {
  if (adminUrl === undefined)
    return lasting === 'passing' ? 'sqlite::memory:' : `sqlite:${join(mkdtempSync(join(tmpdir(), 'database-')), 'fresh.sqlite')}`;
  const name = `fresh_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(`create database ${name}`);
  made.push(name);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** After each test: whoever is still connected is thrown out, so that hundreds of tests fit into one server's connections. */
export async function dropFreshDatabases(): Promise<void> {
  for (const name of made.splice(0)) await asAdmin(`drop database if exists ${name} with (force)`);
}

/** One statement, as the superuser. @returns its rows */
export async function asAdmin(statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: adminUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
