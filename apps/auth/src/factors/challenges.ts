/**
 * What a person was asked and has not answered yet: the signature of a passkey, or a second factor after the password. Each counts once, for
 * 5 minutes. Kept here and not in the session store, since one delete decides between two answers at once and no failover brings it back.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { Selectable, Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';

export type Challenge = Selectable<AuthSchema['challenges']>;
export type ChallengeKind = 'second_factor' | 'passkey_creation' | 'passkey_request';

/** A person finds the telephone, unlocks it and types 6 digits; ASVS 5.0 6.5.5 allows 10 minutes. */
export const challengeLifetimeMs = 5 * 60_000;
/** 6 digits, 3 of them good at a time: 5 tries guess with 1 in 66,000. The throttle counts across challenges. */
export const attemptCountMax = 5;
/** Of one person and kind: several tabs, and no more. The oldest go. */
const personCountMax = 5;
/**
 * Of each kind, 400 B a row: 8 MB. Strangers can ask for passkey_request without end, and must neither crowd out those who proved a password nor
 * shut the door for everybody: the oldest request goes then, which costs those who are slow. The edge gives an address about one a second:
 * 70 addresses hardly shorten the 5 minutes, 1,000 leave 20 s. The other kinds cost a password each, and are refused.
 */
export const kindCountMax = 20_000;

type Asked = Partial<Pick<Challenge, 'subject' | 'webauthn' | 'proof_version' | 'epoch' | 'mode'>>;

/** @returns its id; `too_many_requests` when too many wait to be answered */
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

/** Ends it and returns it: of two who answer at once, one. Undefined when there is none. */
export function takeChallenge(auth: Auth, kind: ChallengeKind, id: string): Promise<Challenge | undefined> {
  return auth.database
    .deleteFrom('challenges')
    .where('id', '=', id)
    .where('kind', '=', kind)
    .where('expires_at_ms', '>', auth.clock.nowMs())
    .returningAll()
    .executeTakeFirst();
}

/** Takes one of its few tries, before the answer is looked at. It stays until `closeChallenge`. */
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

/** False when somebody else was first. */
export async function closeChallenge(trx: Transaction<AuthSchema>, id: string): Promise<boolean> {
  const { numDeletedRows } = await trx.deleteFrom('challenges').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function forgetChallenges(database: Database, nowMs: number): Promise<void> {
  await database.deleteFrom('challenges').where('expires_at_ms', '<=', nowMs).execute();
}

/** Of two at once both may forget the same ones: a few too many until the next. */
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
