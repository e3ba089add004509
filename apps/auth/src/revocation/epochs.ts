/**
 * An epoch ends many sessions by one number: every session made under a lower epoch is dead. Epochs only rise and merge by maximum, so telling
 * them twice or in another order changes nothing. The store compares a user's epoch. Auth compares the global one here, and every heartbeat of the
 * feed carries it. Auth never prunes the rows of users: a user who signs in a year later must start above every raised epoch.
 */
import { topics } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import { tagOf } from '@cloakroom/session';
import type { Kysely, Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation } from '../database/outbox.ts';
import { prepared } from '../database/prepared.ts';

const globalEpochName = 'global_epoch';

export async function userEpoch(database: Kysely<AuthSchema>, subject: string): Promise<number> {
  const row = await database.selectFrom('epochs').select('epoch').where('subject', '=', subject).executeTakeFirst();
  return row?.epoch ?? 0;
}

const metaByName = prepared((database) => database.selectFrom('meta').select('value').where('name', '=', ''));

export async function globalEpoch(database: Kysely<AuthSchema>): Promise<number> {
  const row = await metaByName(database, [globalEpochName]);
  return Number(row?.value ?? 0);
}

/**
 * Ends every session of one user.
 * @param also more changes for the same transaction
 * @throws StoreUnavailable after the commit: the sessions will be dead, but are not yet dead everywhere
 */
export async function raiseEpoch(
  auth: Auth,
  cause: Cause,
  subject: string,
  also?: (trx: Transaction<AuthSchema>) => Promise<void>,
): Promise<number> {
  const nowMs = auth.clock.nowMs();
  const tag = tagOf(subject);
  const epoch = await auth.outbox.commit(async (trx) => {
    const raised = Math.max((await userEpoch(trx, subject)) + 1, nowMs);
    await trx
      .insertInto('epochs')
      .values({ subject, tag, epoch: raised })
      .onConflict((conflict) => conflict.column('subject').doUpdateSet({ epoch: raised }))
      .execute();
    await announceRevocation(trx, cause, subject, tag, {
      atMs: BigInt(nowMs),
      event: { case: 'userEpochRaised', value: { subject, epoch: BigInt(raised) } },
    });
    await also?.(trx);
    return raised;
  });
  await auth.store.raiseEpoch(tag, subject, epoch, nowMs);
  return epoch;
}

/** Ends every session there is. */
export async function raiseGlobalEpoch(auth: Auth, cause: Cause): Promise<number> {
  const nowMs = auth.clock.nowMs();
  return auth.outbox.commit(async (trx) => {
    const raised = Math.max((await globalEpoch(trx)) + 1, nowMs);
    await trx
      .insertInto('meta')
      .values({ name: globalEpochName, value: String(raised) })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: String(raised) }))
      .execute();
    await announceRevocation(trx, cause, topics.sessionRevocations.name, '', {
      atMs: BigInt(nowMs),
      event: { case: 'globalEpochRaised', value: { epoch: BigInt(raised) } },
    });
    return raised;
  });
}
