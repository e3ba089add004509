/**
 * Challenges that wait for a person's answer: the signature of a passkey, or a second factor after the password. Each counts once, for 5 minutes.
 * They are in the database and not in the session store. There, one delete decides between two concurrent answers, and no failover brings a challenge
 * back.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { Selectable, Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';

export type Challenge = Selectable<AuthSchema['challenges']>;
export type ChallengeKind = 'second_factor' | 'passkey_creation' | 'passkey_request';

/** Long enough to find the telephone, unlock it and type 6 digits; ASVS 5.0 6.5.5 allows 10 minutes. */
export const challengeLifetimeMs = 5 * 60_000;
/** A code has 6 digits and 3 codes are good at a time, so 5 tries guess with 1 in 66,000. The throttle counts across challenges. */
export const attemptCountMax = 5;
/** The most challenges of one person and kind: enough for several tabs. The oldest are deleted. */
const personCountMax = 5;
/**
 * The most challenges of each kind: 8 MB at 400 B a row. Strangers can ask for passkey_request without end. They must neither crowd out people who
 * proved a password nor shut the door for everybody. So auth deletes the oldest request, which costs people who are slow. The edge gives an address
 * about one a second: 70 addresses hardly shorten the 5 minutes, 1,000 leave 20 s. The other kinds cost a password each, so auth refuses them.
 */
export const kindCountMax = 20_000;

type Asked = Partial<Pick<Challenge, 'subject' | 'webauthn' | 'proof_version' | 'epoch' | 'mode'>>;

/** @returns the challenge's id; `too_many_requests` when too many wait for an answer */
export async function openChallenge(auth: Auth, kind: ChallengeKind, asked: Asked): Promise<string | Problem> {
  const { database } = auth;
  const nowMs = auth.clock.nowMs();
  await forgetChallenges(database, nowMs);
  const { count } = await database
    .selectFrom('challenges')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('kind', '=', kind)
    .executeTakeFirstOrThrow();
  const tooMany = Number(count) - kindCountMax + 1;
  if (tooMany > 0 && kind !== 'passkey_request') return problem('too_many_requests');
  if (tooMany > 0) await forgetOldestRequests(database, tooMany);
  const challenge: Challenge = {
    id: Buffer.from(auth.random(32)).toString('base64url'),
    kind,
    subject: '',
    webauthn: '',
    proof_version: 0,
    epoch: 0,
    mode: '',
    ...asked,
    attempts: 0,
    expires_at_ms: nowMs + challengeLifetimeMs,
  };
  await database.insertInto('challenges').values(challenge).execute();
  if (challenge.subject !== '') await forgetOldest(database, challenge);
  return challenge.id;
}

/** Deletes the challenge and returns it, so that one of two concurrent answers gets it. Undefined when there is none. */
export function takeChallenge(auth: Auth, kind: ChallengeKind, id: string): Promise<Challenge | undefined> {
  return auth.database
    .deleteFrom('challenges')
    .where('id', '=', id)
    .where('kind', '=', kind)
    .where('expires_at_ms', '>', auth.clock.nowMs())
    .returningAll()
    .executeTakeFirst();
}

/** Takes one of the challenge's few tries before the answer is checked. The challenge stays until `closeChallenge`. */
export function tryChallenge(auth: Auth, kind: ChallengeKind, id: string): Promise<Challenge | undefined> {
  return auth.database
    .updateTable('challenges')
    .set((row) => ({ attempts: row('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('kind', '=', kind)
    .where('expires_at_ms', '>', auth.clock.nowMs())
    .where('attempts', '<', attemptCountMax)
    .returningAll()
    .executeTakeFirst();
}

/** @returns false when another request closed it first */
export async function closeChallenge(trx: Transaction<AuthSchema>, id: string): Promise<boolean> {
  const { numDeletedRows } = await trx.deleteFrom('challenges').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function forgetChallenges(database: Database, nowMs: number): Promise<void> {
  await database.deleteFrom('challenges').where('expires_at_ms', '<=', nowMs).execute();
}

/** Two calls at once may delete the same rows, which leaves a few too many until the next call. */
async function forgetOldestRequests(database: Database, count: number): Promise<void> {
  const oldest = database.selectFrom('challenges').select('id').where('kind', '=', 'passkey_request').orderBy('expires_at_ms').limit(count);
  await database.deleteFrom('challenges').where('id', 'in', oldest).execute();
}

async function forgetOldest(database: Database, { id, kind, subject }: Pick<Challenge, 'id' | 'kind' | 'subject'>): Promise<void> {
  const others = database
    .selectFrom('challenges')
    .select('id')
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .where('id', '<>', id);
  const newest = others
    .orderBy('expires_at_ms', 'desc')
    .orderBy('id')
    .limit(personCountMax - 1);
  await database
    .deleteFrom('challenges')
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .where('id', '<>', id)
    .where('id', 'not in', newest)
    .execute();
}
