/**
 * The keys that sign passports and events: ES256, in the database, so that a restart keeps them. The `active` key signs. A `previous` key still
 * verifies, as long as a topic may hold events that it signed. A `retired` key verifies nothing and is no longer published.
 *
 * A planned rotation needs no announcement, since a reader that meets an unknown kid fetches the keys again. An emergency retires the old keys at
 * once, in the same transaction as the event that tells every process. The new key signs that event. The relay signs at publication, so the new key
 * also signs the events that still wait in the outbox.
 *
 * The database holds private keys sealed, each for its own kid (sealed.ts). At the next start auth seals again the rows of an unsealed version, and
 * rows sealed by a key that is being replaced.
 *
 * Several replicas share the keys. A replica that makes or rotates one reads the table in the same transaction (they run one at a time, outbox.ts).
 * Each replica reads the table again every `reloadIntervalMs`. Until then a replica may sign passports with a key that another has just retired.
 * Services refuse those passports, which is the safe side, and for no longer than a lease. The relay reads the table before everything it signs. If
 * the retired key signed the notice of its own retirement, readers would take that notice for a forgery.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { problem, type Problem, topics } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import type { SigningKey } from '@cloakroom/identity';
import type { Logger } from '@cloakroom/platform';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import type { Transaction } from 'kysely';
import { announceRecentAgain } from '../database/identity-history.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation, type Database, type Outbox } from '../database/outbox.ts';
import type { Sealer } from './sealed.ts';

/** The most keys that still verify, the active one among them. Each rotation adds one; more of them means that something else is wrong. */
const publishedKeyCountMax = 16;

export interface SigningKeys {
  active(): SigningKey;
  /** The public key of a kid that is not retired. */
  find(kid: string): KeyObject | undefined;
  /** JWK Set (RFC 7517) of all that verifies, public parts only. */
  jwks(): string;
  rotate(retireOldNow: boolean, cause: Cause): Promise<{ activeKid: string; retiredKids: string[] } | Problem>;
  /** Reads what other replicas have done. */
  reload(): Promise<void>;
}

/** Half of the revocation feed's lease. */
const reloadIntervalMs = 1_000;

/** Reads again and again what other replicas have done. @returns a function that stops it */
export function keepReloading(keys: Pick<SigningKeys, 'reload'>, log: Logger): () => void {
  const reload = (): void => {
    keys.reload().catch((error: unknown) => log.debug({ err: error }, 'the signing keys could not be read again'));
  };
  const timer = setInterval(reload, reloadIntervalMs);
  return () => clearInterval(timer);
}

interface Loaded extends SigningKey {
  readonly publicKey: KeyObject;
  readonly publicJwk: object;
}

export interface SigningKeysParts {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly sealer: Sealer;
  readonly nowMs: () => number;
}

/** @throws Error when `sealer` does not open the keys in the database: signing with new ones would end every session's passport */
export async function openSigningKeys({ database, outbox, sealer, nowMs }: SigningKeysParts): Promise<SigningKeys> {
  await sealAgain(database, sealer);
  let keys = await load(database, sealer);
  if (keys.length === 0) {
    await outbox.commit(async (trx) => {
      // Another replica may have made the first key.
      if ((await publishedKids(trx)).length === 0) await insertKey(trx, sealer, nowMs());
    });
    keys = await load(database, sealer);
  }
  let rotating: Promise<unknown> = Promise.resolve();
  const rotateNow = async (retireOldNow: boolean, cause: Cause) => {
    if (!retireOldNow && keys.length >= publishedKeyCountMax)
      return problem('limit_exceeded', 'too many keys are published: retire old ones');
    const { activeKid, old } = await outbox.commit(async (trx) => {
      const old = await publishedKids(trx);
      await trx
        .updateTable('signing_keys')
        .set({ state: retireOldNow ? 'retired' : 'previous' })
        .where('kid', 'in', old)
        .execute();
      const kid = await insertKey(trx, sealer, nowMs());
      if (retireOldNow) {
        for (const retired of old) await announceKeyRetired(trx, cause, retired, nowMs());
        // Consumers would drop unread events of the old keys as forged, so the recent ones are announced again.
        await announceRecentAgain(trx, nowMs());
      }
      return { activeKid: kid, old };
    });
    keys = await load(database, sealer);
    return { activeKid, retiredKids: retireOldNow ? old : [] };
  };
  return {
    active: () => keys[0]!,
    find: (kid) => keys.find((key) => key.kid === kid)?.publicKey,
    jwks: () => JSON.stringify({ keys: keys.map((key) => key.publicJwk) }),
    // Rotations run one after the other, since two at once would leave two active keys.
    rotate: (retireOldNow, cause) => {
      const result = rotating.then(() => rotateNow(retireOldNow, cause));
      rotating = result.catch(() => undefined);
      return result;
    },
    reload: async () => {
      const kids = await publishedKids(database);
      // Usually nothing is new, so nothing is parsed. A rotation by this replica loads the keys by itself.
      if (kids.join() === keys.map((key) => key.kid).join()) return;
      keys = await load(database, sealer);
    },
  };
}

const contextOf = (kid: string): string => `signing-key:${kid}`;

/**
 * Also seals retired keys, in case another key leaks too. Several replicas may do it at once, since each writes a value that opens to the same key.
 */
async function sealAgain(database: Database, sealer: Sealer): Promise<void> {
  const rows = await database.selectFrom('signing_keys').select(['kid', 'private_jwk']).execute();
  for (const { kid, private_jwk } of rows) {
    if (sealer.isCurrent(private_jwk, contextOf(kid))) continue;
    const plain = private_jwk.startsWith('{') ? private_jwk : sealer.open(private_jwk, contextOf(kid));
    const sealed = sealer.seal(plain, contextOf(kid));
    await database.updateTable('signing_keys').set({ private_jwk: sealed }).where('kid', '=', kid).execute();
  }
}

/** The kids in the order of `load`. */
async function publishedKids(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom('signing_keys')
    .select(['kid', 'state'])
    .where('state', '!=', 'retired')
    .orderBy('created_at_ms', 'desc')
    .execute();
  return [...rows.filter((row) => row.state === 'active'), ...rows.filter((row) => row.state !== 'active')].map((row) => row.kid);
}

/** The active key first. */
async function load(database: Database, sealer: Sealer): Promise<Loaded[]> {
  const rows = await database
    .selectFrom('signing_keys')
    .selectAll()
    .where('state', '!=', 'retired')
    .orderBy('created_at_ms', 'desc')
    .execute();
  const active = rows.filter((row) => row.state === 'active');
  if (active.length > 1) throw new Error('more than one signing key is active');
  return Promise.all(
    [...active, ...rows.filter((row) => row.state !== 'active')].map(async ({ kid, private_jwk }) => {
      const privateKey = createPrivateKey({ key: JSON.parse(sealer.open(private_jwk, contextOf(kid))) as JsonWebKey, format: 'jwk' });
      const publicKey = createPublicKey(privateKey);
      const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
      return { kid, privateKey, publicKey, publicJwk };
    }),
  );
}

async function insertKey(trx: Transaction<AuthSchema>, sealer: Sealer, nowMs: number): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const private_jwk = sealer.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), contextOf(kid));
  await trx.insertInto('signing_keys').values({ kid, state: 'active', private_jwk, created_at_ms: nowMs }).execute();
  return kid;
}

const announceKeyRetired = (trx: Transaction<AuthSchema>, cause: Cause, kid: string, nowMs: number): Promise<void> =>
  announceRevocation(trx, cause, topics.sessionRevocations.name, '', {
    atMs: BigInt(nowMs),
    event: { case: 'keyRetired', value: { kid } },
  });
