/**
 * auth's keys as its database holds them. ES256 keys lie in `signing_keys`, Ed25519 keys in `passport_keys` (database/migrations.ts says why they are
 * apart). Private parts are sealed, each for its own kid (sealed.ts). A kid is the key's thumbprint (RFC 7638; RFC 8037 2 for Ed25519).
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmOf, type JwsAlgorithm, type SigningKey } from '@cloakroom/identity';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { sql, type Selectable, type Transaction } from 'kysely';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';
import type { Sealer } from './sealed.ts';

type KeyTable = 'signing_keys' | 'passport_keys';
const tables: readonly KeyTable[] = ['signing_keys', 'passport_keys'];
const tableOf: Readonly<Record<JwsAlgorithm, KeyTable>> = { ES256: 'signing_keys', Ed25519: 'passport_keys' };

export interface KeyRow extends Selectable<AuthSchema['signing_keys']> {
  readonly table: KeyTable;
}

export interface StoredKey extends SigningKey {
  readonly state: KeyRow['state'];
  readonly algorithm: JwsAlgorithm;
  readonly publicKey: KeyObject;
  readonly publicJwk: object;
}

/** Both tables have one shape. Kysely's types know that only of one table at a time. */
const oneShape = (table: KeyTable) => table as 'signing_keys';

/** All keys that verify, of one moment: ES256 first, and of an algorithm the active one first, then the newest. */
export async function readKeys(database: Database): Promise<KeyRow[]> {
  const published = (table: KeyTable) =>
    database
      .selectFrom(oneShape(table))
      .select(['kid', 'state', 'private_jwk', 'created_at_ms', sql<KeyTable>`${sql.lit(table)}`.as('table')])
      .where('state', '!=', 'retired');
  const rows = await published('signing_keys').unionAll(published('passport_keys')).orderBy('created_at_ms', 'desc').execute();
  return tables.flatMap((table) => {
    const own = rows.filter((row) => row.table === table);
    return [...own.filter(({ state }) => state === 'active'), ...own.filter(({ state }) => state !== 'active')];
  });
}

/** @throws Error when a row does not open, or two keys of an algorithm are active */
export async function openKeys(rows: readonly KeyRow[], sealer: Sealer): Promise<StoredKey[]> {
  for (const table of tables)
    if (rows.filter((row) => row.table === table && row.state === 'active').length > 1)
      throw new Error('more than one signing key is active');
  return Promise.all(
    rows.map(async ({ kid, state, private_jwk }) => {
      const privateKey = createPrivateKey({ key: JSON.parse(sealer.open(private_jwk, contextOf(kid))) as JsonWebKey, format: 'jwk' });
      const publicKey = createPublicKey(privateKey);
      const algorithm = algorithmOf(privateKey);
      if (algorithm === undefined) throw new Error('a key of the database is of an unknown algorithm');
      return {
        kid,
        state,
        algorithm,
        privateKey,
        publicKey,
        publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
      };
    }),
  );
}

/** @returns the kid of a new active key */
export async function insertKey(trx: Transaction<AuthSchema>, algorithm: JwsAlgorithm, sealer: Sealer, nowMs: number): Promise<string> {
  const { privateKey, publicKey } =
    algorithm === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const private_jwk = sealer.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), contextOf(kid));
  await trx.insertInto(oneShape(tableOf[algorithm])).values({ kid, state: 'active', private_jwk, created_at_ms: nowMs }).execute();
  return kid;
}

/** Ends the signing of every key. */
export async function replaceKeys(trx: Transaction<AuthSchema>, state: 'previous' | 'retired'): Promise<void> {
  for (const table of tables) await trx.updateTable(oneShape(table)).set({ state }).where('state', '!=', 'retired').execute();
}

/**
 * Also seals retired keys, in case another key leaks too. Several replicas may do it at once, since each writes a value that opens to the same key.
 */
export async function sealAgain(database: Database, sealer: Sealer): Promise<void> {
  for (const table of tables) {
    const rows = await database.selectFrom(oneShape(table)).select(['kid', 'private_jwk']).execute();
    for (const { kid, private_jwk } of rows) {
      if (sealer.isCurrent(private_jwk, contextOf(kid))) continue;
      const plain = private_jwk.startsWith('{') ? private_jwk : sealer.open(private_jwk, contextOf(kid));
      const sealed = sealer.seal(plain, contextOf(kid));
      await database.updateTable(oneShape(table)).set({ private_jwk: sealed }).where('kid', '=', kid).execute();
    }
  }
}

const contextOf = (kid: string): string => `signing-key:${kid}`;
