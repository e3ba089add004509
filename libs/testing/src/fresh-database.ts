/**
 * The database that a suite runs on. It is SQLite in memory, unless a `.int.test.ts` called `useFreshPostgres` before it imported the
 * suite. So the same tests run on both databases, and no test knows which one it has.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

let adminUrl: string | undefined;
const made: string[] = [];

/**
 * @param url address of a superuser. The server may be shared: every database made here has its own name. Undefined once all tests of the file are
 * finished: then the next file of the process is on SQLite again.
 */
export function useFreshPostgres(url: string | undefined): void {
  adminUrl = url;
}

/** @param lasting when the test opens the database a second time */
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

/**
 * Drops the databases after each test and ends all connections to them. Else hundreds of tests
 * would not fit into the connections of one server.
 */
export async function dropFreshDatabases(): Promise<void> {
  for (const name of made.splice(0)) await asAdmin(`drop database if exists ${name} with (force)`);
}

/** Runs one statement as the superuser. @returns its rows */
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
