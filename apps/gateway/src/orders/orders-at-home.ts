/**
 * Orders are placed and read at the buyer's home, across the ocean where that is another region. There is one database of a person's orders, so a key
 * or a command is ordered once, wherever the person presses. Home orders its own view of the cart.
 */
import { isProblem, type Problem } from '@cloakroom/contracts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { unlessSilent } from '../identity/home-region.ts';

export const ordersOf = ({ person }: Pick<Exchange, 'person'>, { orders }: Pick<Gateway, 'orders'>): Gateway['orders'] =>
  person?.home?.orders ?? orders;

/**
 * Tells the silence of home to somebody who reads. `unavailable` is no silence: home was reached, and waits for a copy of the cart or for its
 * database. Not for placing an order: an answer that was lost may stand for one.
 */
export function toldByHome<Answer extends object>({ person }: Pick<Exchange, 'person'>, answer: Answer | Problem): Answer | Problem {
  if (person?.home === undefined || !isProblem(answer) || answer.problem === 'unavailable') return answer;
  return unlessSilent(answer, person.home.region);
}

/** A feed across the ocean beats twice a second, and the lease over it ends after two. The rest is for a machine that is busy elsewhere. */
const unheardAfterMs = 5_000;

/** The regions that may hold changes of this person's cart that are not here yet. Empty while they are heard, and in a shop of one region. */
export const unheardRegions = ({ person }: Pick<Exchange, 'person'>, { identity }: Pick<Gateway, 'identity'>): string[] =>
  [...identity.abroad.values()]
    .filter(({ region, feed }) => region !== person?.home?.region && feed.leaseAgeMs() > unheardAfterMs)
    .map(({ region }) => region);
