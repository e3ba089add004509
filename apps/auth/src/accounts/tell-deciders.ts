/**
 * Tells deciders of addresses that accounts took without asking. Such accounts are from before, or from a build or a replica that knows of no other
 * region. Until a decider has heard, it may give such an address away. `told_email` is what it has heard of last, so a change of e-mail by such a build
 * is told too. An account gets its home with it: the region whose database has it. Two accounts may have one address, one in each region. Both stay, and
 * each page signs in to its own.
 */
import type { OutgoingCall } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { promiseAddress } from './addresses.ts';

/** Questions that are asked at once. The decider commits one after the other, and sign-ups wait in the same queue. */
const pageSize = 50;
/** 1,000 accounts a minute, which takes some seconds. */
const pageCountMax = 20;

/** Ends where the other region is out of reach; the rest waits for the next time. @returns how many addresses were told */
export async function tellDeciders(auth: Auth, newCall: () => OutgoingCall, stopping?: AbortSignal): Promise<number> {
  const { abroad, region } = auth;
  if (abroad === undefined) return 0;
  let told = 0;
  for (let pages = 0; pages < pageCountMax && stopping?.aborted !== true; pages++) {
    const accounts = auth.database.selectFrom('accounts').select(['id', 'email']).whereRef('told_email', '<>', 'email');
    const page = await accounts.orderBy('id').limit(pageSize).execute();
    const known = (await Promise.all(page.map((account) => tell(auth, newCall, account)))).flat();
    if (known.length > 0) {
      const heard = auth.database.updateTable('accounts').set((row) => ({ home: region, told_email: row.ref('email') }));
      // An account may have changed its address meanwhile.
      const unchanged = heard
        .where(
          'id',
          'in',
          known.map(({ id }) => id),
        )
        .where(
          'email',
          'in',
          known.map(({ email }) => email),
        );
      told += Number((await unchanged.executeTakeFirst()).numUpdatedRows);
    }
    if (known.length < pageSize) break;
  }
  return told;
}

interface Told {
  readonly id: string;
  readonly email: string;
}

/** An address that is decided here may have been given away before, and then the other side says whether it has an account with it. */
async function tell(auth: Auth, newCall: () => OutgoingCall, account: Told): Promise<Told[]> {
  const answer = await promiseAddress(auth, newCall(), account.email, true);
  if (!('refusal' in answer)) return [account];
  if (answer.refusal.problem !== 'email_taken') return [];
  auth.log.warn({ account: account.id }, 'the other region has an account with the same address: both stay');
  return [account];
}
