/** Finds the user that each guest's cart belongs to. */
import type { History } from './history.ts';
import { namesOf, textOf, type Claim } from './history.terms.ts';

/**
 * A guest's cart has one owner for ever: the first sign-in that was answered, or else one that may have happened. A user's
 * cart that shows a guest's dot decides it.
 */
export function claimsOf(history: History): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const operation of history.operations) {
    const guestCart = textOf(operation.input['guestCart']);
    if (operation.kind !== 'login' || guestCart === '' || operation.outcome === 'failed') continue;
    if (claims.get(guestCart)?.certainty === 'yes') continue;
    const certainty = operation.outcome === 'ok' ? 'yes' : 'maybe';
    claims.set(guestCart, { guestCart, person: operation.person, session: textOf(operation.input['session']), certainty, operation });
  }
  const sentTo = new Map<string, Set<string>>();
  for (const { input } of history.operations) {
    const name = textOf(input['commandId']);
    if (name !== '') sentTo.set(name, (sentTo.get(name) ?? new Set()).add(textOf(input['cart'])));
  }
  for (const { kind, outcome, input, output } of history.operations) {
    if (kind !== 'read' || outcome !== 'ok') continue;
    for (const dot of namesOf(output?.['dots']) ?? []) {
      // A command that was sent to other carts too may have reached this cart directly.
      const [only, ...others] = sentTo.get(dot) ?? [];
      const claim = others.length === 0 ? claims.get(only ?? '') : undefined;
      if (claim?.certainty === 'maybe' && input['cart'] === `user:${claim.person}`)
        claims.set(claim.guestCart, { ...claim, certainty: 'yes' });
    }
  }
  return claims;
}
