/** Judges which person is shown which cart, and which sessions are still accepted. */
import type { Anomaly, HistoryBounds, Operation } from './history.ts';
import { textOf, type Facts } from './history.terms.ts';

export function checkSessions(facts: Facts, bounds: HistoryBounds): Anomaly[] {
  return [...checkEnded(facts, bounds), ...checkCartIds(facts)];
}

/** The answer after which each cookie had certainly ended. */
function endsOf({ history }: Facts): Map<string, Operation> {
  const ends = new Map<string, Operation>();
  for (const operation of history.operations) {
    if (operation.outcome !== 'ok') continue;
    const { kind, input } = operation;
    const ended =
      kind === 'logout' ? input['session'] : kind === 'login' ? input['guest'] : kind === 'reauthenticate' ? input['replaces'] : undefined;
    if (typeof ended === 'string' && !ends.has(ended)) ends.set(ended, operation);
  }
  return ends;
}

function* checkEnded(facts: Facts, { revokedWithinMs, revokedDuringFaultsWithinMs }: HistoryBounds): Generator<Anomaly> {
  const ends = endsOf(facts);
  for (const operation of facts.history.operations) {
    if (operation.kind !== 'use-ended-session' || operation.outcome !== 'ok') continue;
    const end = ends.get(textOf(operation.input['session']));
    if (end?.completedAtMs === undefined) continue;
    const endedAtMs = end.completedAtMs;
    const disturbed = facts.history.faults.some(({ fromMs, toMs }) => fromMs < operation.invokedAtMs && toMs + revokedWithinMs > endedAtMs);
    const boundMs = disturbed ? revokedDuringFaultsWithinMs : revokedWithinMs;
    const lateMs = operation.invokedAtMs - endedAtMs;
    if (lateMs <= boundMs) continue;
    const message = `${textOf(operation.input['session'])} had ended ${Math.round(lateMs)} ms before, and was let in; at most ${boundMs} ms are allowed`;
    yield { kind: 'revoked-accepted', message, operations: [end.id, operation.id] };
  }
}

/** One cart has one id, and one id belongs to one cart. */
function* checkCartIds({ history }: Facts): Generator<Anomaly> {
  const idOf = new Map<string, Operation>();
  const cartOf = new Map<string, Operation>();
  for (const operation of history.operations) {
    const [cart, cartId] = [textOf(operation.input['cart']), textOf(operation.output?.['cartId'])];
    if (cart === '' || cartId === '') continue;
    const [sameCart, sameId] = [idOf.get(cart) ?? operation, cartOf.get(cartId) ?? operation];
    idOf.set(cart, sameCart);
    cartOf.set(cartId, sameId);
    if (sameId.input['cart'] !== cart) {
      const message = `${operation.client} (${cart}) is shown the cart of ${textOf(sameId.input['cart'])}`;
      yield { kind: 'foreign', message, operations: [sameId.id, operation.id] };
    } else if (sameCart.output?.['cartId'] !== cartId) {
      yield {
        kind: 'foreign',
        message: `${operation.client} (${cart}) is shown another cart than before`,
        operations: [sameCart.id, operation.id],
      };
    }
  }
}
