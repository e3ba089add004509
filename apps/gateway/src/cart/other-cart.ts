/**
 * Refuses a command that is meant for another cart.
 *
 * A page repeats a command whose answer was lost. Meanwhile another tab may have signed somebody else in, and the cookie is theirs. So the
 * page says whose cart it means, and a command for any other cart is refused before anything is written. A command without a session is
 * refused too, because it would begin a new cart.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { Exchange } from '../http-exchange.ts';

/** A guest's command is also for the person whose sign-in claimed that guest's cart. If a client names no cart, its cookie decides. */
export function otherCart({ person }: Pick<Exchange, 'person'>, cartId: string | undefined): Problem | undefined {
  if (cartId === undefined) return undefined;
  if (person === undefined) return problem('session_required');
  const { subject, claimedGuestCart } = person.view;
  return cartId === subject || cartId === claimedGuestCart ? undefined : problem('other_cart');
}
