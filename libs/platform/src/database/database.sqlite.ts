/** SQLite in this process: one connection, so transactions run one after the other. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { GenericSqliteDialect, type IGenericSqlite } from 'kysely-generic-sqlite';
import { LRUCache } from 'lru-cache';

/** Kysely writes the same text for the same query, and other texts for lists of changing length (`in`). Each text is compiled once while it stays. */
const statementCountMax = 200;

/** How long a statement waits for another connection's lock before it fails. One process owns a file, so this is for tools beside it. */
const busyTimeoutMs = 2_000;

export function openSqlite<Schema>(url: string): Kysely<Schema> {
  const file = url.replace(/^sqlite:/, '');
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  return new Kysely<Schema>({ dialect: new GenericSqliteDialect(() => sqliteExecutor(file)) });
}

function sqliteExecutor(file: string): IGenericSqlite<DatabaseSync> {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = ${busyTimeoutMs};`);
  const prepared = new LRUCache<string, StatementSync>({ max: statementCountMax });
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    db,
    query: (_isSelect, sql, parameters) => {
      const statement = prepare(sql);
      const values = parameters.map(boundValue);
      // A statement that yields columns is read to the end. For one that does not, .all() would return nothing and lose its change count.
      if (statement.columns().length > 0) return { rows: statement.all(...values) };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes) };
    },
    close: () => db.close(),
  };
}

/** node:sqlite takes an object in first place for named parameters, and silently shifts the rest (seen with a Date). This refuses it. */
function boundValue(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint8Array)
    return value;
  throw new TypeError(`cannot bind a ${typeof value === 'object' ? value.constructor.name : typeof value} as an SQL value`);
}
