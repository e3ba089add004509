/**
 * The keys that sign passports, access tokens and events, in the database, so that a restart keeps them. The `active` key signs. A `previous` key still
 * verifies, as long as a topic may hold events that it signed. A `retired` key verifies nothing and is no longer published.
 *
 * Events and access tokens are always ES256. Passports are ES256 too until an operator asks for Ed25519 (docs/keys.md). Then a second key is active,
 * which signs passports alone. That choice is this key's row, so every replica follows it and a restart keeps it. Switching back makes the key
 * `previous`, and it still verifies.
 *
 * A planned rotation needs no announcement, since a reader that meets an unknown kid fetches the keys again. An emergency retires the old keys at
 * once, in the same transaction as the event that tells every process. The new key signs that event. The relay signs at publication, so the new key
 * also signs the events that still wait in the outbox.
 *
 * At its start auth seals again the rows of an unsealed version, and rows sealed by a key that is being replaced (stored-keys.ts).
 *
 * Several replicas share the keys. A replica that makes or rotates one reads the table in the same transaction (they run one at a time, outbox.ts).
 * Each replica reads the table again every `reloadIntervalMs`. Until then a replica may sign passports with a key that another has just retired.
 * Services refuse those passports, which is the safe side, and for no longer than a lease. The relay reads the table before everything it signs. If
 * the retired key signed the notice of its own retirement, readers would take that notice for a forgery.
 */
import type { KeyObject } from 'node:crypto';
import { problem, type Problem, topics } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import type { JwsAlgorithm, SigningKey } from '@cloakroom/identity';
import type { Logger } from '@cloakroom/platform';
import type { Transaction } from 'kysely';
import { announceRecentAgain } from '../database/identity-history.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation, type Database, type Outbox } from '../database/outbox.ts';
import type { Sealer } from './sealed.ts';
import { insertKey, type KeyRow, openKeys, readKeys, replaceKeys, sealAgain, type StoredKey } from './stored-keys.ts';

/** The most ES256 keys that still verify, the active one among them. Each rotation adds one; more of them means that something else is wrong. */
const publishedKeyCountMax = 16;

export interface SigningKeys {
  /** Signs events and access tokens: always ES256. */
  active(): SigningKey;
  /** Signs passports: by the algorithm that the operator chose. */
  forPassports(): SigningKey;
  /** The public key of a kid that is not retired. */
  find(kid: string): KeyObject | undefined;
  /** JWK Set (RFC 7517) of all that verifies, public parts only. */
  jwks(): string;
  /** @param algorithm of passports from now on; as before where it is left out */
  rotate(retireOldNow: boolean, cause: Cause, algorithm?: JwsAlgorithm): Promise<Rotated | Problem>;
  /** Reads what other replicas have done. */
  reload(): Promise<void>;
}

export interface Rotated {
  readonly activeKid: string;
  readonly passportKid: string;
  readonly passportAlgorithm: JwsAlgorithm;
  readonly retiredKids: string[];
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

export interface SigningKeysParts {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly sealer: Sealer;
  readonly nowMs: () => number;
}

/** @throws Error when `sealer` does not open the keys in the database: signing with new ones would end every session's passport */
export async function openSigningKeys(parts: SigningKeysParts): Promise<SigningKeys> {
  const { database, outbox, sealer, nowMs } = parts;
  await sealAgain(database, sealer);
  let rows = await readKeys(database);
  if (rows.length === 0) {
    await outbox.commit(async (trx) => {
      // Another replica may have made the first key.
      if ((await readKeys(trx)).length === 0) await insertKey(trx, 'ES256', sealer, nowMs());
    });
    rows = await readKeys(database);
  }
  let keys = await openKeys(rows, sealer);
  let begun = 0;
  let taken = 0;
  const reload = async (): Promise<void> => {
    const turn = (begun += 1);
    const found = await readKeys(database);
    // Usually nothing is new, so nothing is parsed.
    const opened = statesOf(found) === statesOf(rows) ? keys : await openKeys(found, sealer);
    // A slow look must not undo a later one, which saw a newer table.
    if (turn < taken) return;
    [taken, keys, rows] = [turn, opened, found];
  };
  let rotating: Promise<unknown> = Promise.resolve();
  const rotateNow = async (retireOldNow: boolean, cause: Cause, algorithm: JwsAlgorithm | undefined): Promise<Rotated | Problem> => {
    if (!retireOldNow && ofAlgorithm(keys, 'ES256').length >= publishedKeyCountMax)
      return problem('limit_exceeded', 'too many keys are published: retire old ones');
    const rotated = await outbox.commit((trx) => replaceAll(trx, parts, { retireOldNow, cause, algorithm }));
    await reload();
    return rotated;
  };
  return {
    active: () => ofAlgorithm(keys, 'ES256')[0]!,
    forPassports: () =>
      keys.find(({ state, algorithm }) => state === 'active' && algorithm === 'Ed25519') ?? ofAlgorithm(keys, 'ES256')[0]!,
    find: (kid) => keys.find((key) => key.kid === kid)?.publicKey,
    jwks: () => JSON.stringify({ keys: keys.map((key) => key.publicJwk) }),
    // Rotations run one after the other, since two at once would leave two active keys.
    rotate: (retireOldNow, cause, algorithm) => {
      const result = rotating.then(() => rotateNow(retireOldNow, cause, algorithm));
      rotating = result.catch(() => undefined);
      return result;
    },
    reload,
  };
}

const statesOf = (rows: readonly KeyRow[]): string => rows.map(({ kid, state }) => `${kid} ${state}`).join();

const ofAlgorithm = (keys: readonly StoredKey[], wanted: JwsAlgorithm): StoredKey[] => keys.filter(({ algorithm }) => algorithm === wanted);

/** Makes a new key for each algorithm that signs from now on, and one transaction of it all. */
async function replaceAll(
  trx: Transaction<AuthSchema>,
  { sealer, nowMs }: SigningKeysParts,
  asked: { readonly retireOldNow: boolean; readonly cause: Cause; readonly algorithm: JwsAlgorithm | undefined },
): Promise<Rotated> {
  const old = await readKeys(trx);
  const signsByEd25519 = old.some(({ table, state }) => table === 'passport_keys' && state === 'active');
  const passportAlgorithm = asked.algorithm ?? (signsByEd25519 ? 'Ed25519' : 'ES256');
  await replaceKeys(trx, asked.retireOldNow ? 'retired' : 'previous');
  const activeKid = await insertKey(trx, 'ES256', sealer, nowMs());
  const passportKid = passportAlgorithm === 'ES256' ? activeKid : await insertKey(trx, passportAlgorithm, sealer, nowMs());
  if (!asked.retireOldNow) return { activeKid, passportKid, passportAlgorithm, retiredKids: [] };
  for (const { kid } of old) await announceKeyRetired(trx, asked.cause, kid, nowMs());
  // Consumers would drop unread events of the old keys as forged, so the recent ones are announced again.
  await announceRecentAgain(trx, nowMs());
  return { activeKid, passportKid, passportAlgorithm, retiredKids: old.map(({ kid }) => kid) };
}

const announceKeyRetired = (trx: Transaction<AuthSchema>, cause: Cause, kid: string, nowMs: number): Promise<void> =>
  announceRevocation(trx, cause, topics.sessionRevocations.name, '', {
    atMs: BigInt(nowMs),
    event: { case: 'keyRetired', value: { kid } },
  });
