/**
 * Gives accounts from before a home: the region whose database has them. The region that decides their addresses is told first, so that it gives none
 * of them away; until it has heard, it may. Two accounts from before may have one address, one in each region. Both stay, and each page signs in to
 * its own.
 */
import type { OutgoingCall } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { decidesHere, homeHere, promiseAddress } from './addresses.ts';

/** Questions that are asked at once. The decider commits one after the other, and sign-ups wait in the same queue. */
const pageSize = 50;
/** 1,000 accounts a minute, which takes some seconds. */
const pageCountMax = 20;

/** Ends where the other region is out of reach; the rest waits for the next time. @returns how many accounts got a home */
export async function tellDeciders(auth: Auth, newCall: () => OutgoingCall, stopping?: AbortSignal): Promise<number> {
  if (auth.abroad === undefined) return 0;
  let told = 0;
  for (let pages = 0; pages < pageCountMax && stopping?.aborted !== true; pages++) {
    const accounts = auth.database.selectFrom('accounts').select(['id', 'email']).where('home', '=', '');
    const page = await accounts.orderBy('id').limit(pageSize).execute();
    const known = (await Promise.all(page.map((account) => tell(auth, newCall, account)))).flat();
    if (known.length > 0)
      await auth.database
        .updateTable('accounts')
        .set({ home: homeHere(auth) })
        .where('id', 'in', known)
        .execute();
    told += known.length;
    if (known.length < pageSize) break;
  }
  return told;
}

/** @returns the id of an account whose decider has heard of its address */
async function tell(
  auth: Auth,
  newCall: () => OutgoingCall,
  { id, email }: { readonly id: string; readonly email: string },
): Promise<string[]> {
  if (decidesHere(auth, email)) return [id];
  const answer = await promiseAddress(auth, newCall(), email);
  if (!('refusal' in answer)) return [id];
  if (answer.refusal.problem !== 'email_taken') return [];
  auth.log.warn({ account: id }, 'the other region has an account with the same address: both stay');
  return [id];
}
