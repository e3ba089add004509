/** The answers to another region's questions about addresses. See addresses.ts for the whole. */
import { type ClaimAddressRequest, type GiveUpAddressRequest, problem, type Problem } from '@cloakroom/contracts';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import { addressHash } from '../database/migrations.homes.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { decidesHere, givenTurn, givenUpTurn } from './addresses.ts';

type Trx = Transaction<AuthSchema>;

/**
 * At the decider: gives the address to the region that asks, unless an account here has it. Repeating it gives the same turn. Where both regions have an
 * account with it, the row is written all the same, so that the address is not free here once the account here leaves it.
 */
export async function claimAddress(
  auth: Auth,
  { email, givenUpTurn: givenUp, hasAccount: hasOneThere }: ClaimAddressRequest,
): Promise<{ readonly taken: boolean; readonly turn?: bigint } | Problem> {
  // Two deciders would give one address twice.
  if (auth.abroad === undefined || !decidesHere(auth, email)) {
    auth.log.error('another region asked about an address that is not decided here: the regions do not agree about their names');
    return problem('forbidden');
  }
  return auth.outbox.commit(async (trx) => {
    const taken = await hasAccount(trx, email);
    if (taken && !hasOneThere) return { taken };
    const turn = Math.max((await givenTurn(trx, email)) ?? 0, Number(givenUp) + 1);
    await note(trx, 'given_addresses', email, turn);
    return taken ? { taken } : { taken, turn: BigInt(turn) };
  });
}

/** At the region that was given the address: gives it up, unless an account here has it. From then on this turn is worth nothing here. */
export function giveUpAddress(auth: Auth, { email, turn }: GiveUpAddressRequest): Promise<{ readonly held: boolean }> {
  return auth.outbox.commit(async (trx) => {
    if (await hasAccount(trx, email)) return { held: true };
    await note(trx, 'given_up_addresses', email, Math.max(await givenUpTurn(trx, email), Number(turn)));
    return { held: false };
  });
}

async function note(trx: Trx, table: 'given_addresses' | 'given_up_addresses', email: string, turn: number): Promise<void> {
  await trx
    .insertInto(table)
    .values({ email_sha256: addressHash(email), turn })
    .onConflict((conflict) => conflict.column('email_sha256').doUpdateSet({ turn }))
    .execute();
}

const hasAccount = async (trx: Trx, email: string): Promise<boolean> =>
  (await trx.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirst()) !== undefined;
