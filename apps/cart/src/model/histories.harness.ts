/** Random histories of a user and a guest, for tests of the rules and of what is written of them. */
import fc from 'fast-check';
import { commandOfDot, dotOf, emptyCart, evolve, type CartEvent, type CartState } from './cart.ts';

export const user = 'u_018bcfe5-6800-7000-8000-000000000001';
export const guest = 'g_018bcfe5-6800-7000-8000-000000000002';
export const id = (n: number): string => `018bcfe5-6800-7000-8000-00000000${n.toString(16).padStart(4, '0')}`;

export const apply = (events: readonly CartEvent[], from = emptyCart(user)): CartState => events.reduce(evolve, from);
export const joinOf = (events: readonly CartEvent[], guestOffset = 1n): CartEvent => {
  const { dots, coupons, dead, origins } = apply(events, emptyCart(guest));
  return { type: 'GuestJoined', cartId: user, atMs: 2, guestCartId: guest, guestOffset, dots, coupons, dead, origins };
};

export type Step = {
  readonly do: 'add' | 'set' | 'remove' | 'coupon' | 'clear' | 'repeat' | 'join' | 'order';
  readonly as: 'guest' | 'user';
  readonly pick: number;
};
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    do: fc.constantFrom(
      'add' as const,
      'add' as const,
      'repeat' as const,
      'repeat' as const,
      'set' as const,
      'remove' as const,
      'coupon' as const,
      'clear' as const,
      'join' as const,
      'order' as const,
    ),
    as: fc.constantFrom('guest' as const, 'user' as const),
    pick: fc.nat({ max: 5 }),
  }),
  { maxLength: 16, size: 'max' },
);

/** The user's log: the user's commands, the guest's joins, and repeats of commands of both in the user's cart. */
export function userLogOf(made: readonly Step[]): CartEvent[] {
  const logs = { guest: [] as CartEvent[], user: [] as CartEvent[] };
  for (const [at, step] of made.entries()) {
    const cartId = step.as === 'guest' ? guest : user;
    const all = [...logs.guest, ...logs.user].filter((event) => 'dot' in event);
    // A page shows each dot under the name by which it learned of it.
    const shown = all.flatMap((event) =>
      event.type === 'ItemAdded' || event.type === 'QuantitySet' || event.type === 'CouponApplied' ? [event] : [],
    );
    const seen = shown.filter((event) => step.as === 'user' || event.cartId === guest);
    const line = `line-${step.pick % 2}`;
    const inLine = seen.flatMap((event) => (event.type !== 'CouponApplied' && event.line === line ? [event.dot] : []));
    const common = { cartId, atMs: 10 + at, dot: dotOf(cartId, id(at)) };
    const log = logs[step.as];
    if (step.do === 'add') log.push({ ...common, type: 'ItemAdded', line, quantity: 1 });
    else if (step.do === 'set') log.push({ ...common, type: 'QuantitySet', line, quantity: 3, observed: inLine });
    else if (step.do === 'remove') log.push({ ...common, type: 'ItemRemoved', line, observed: inLine });
    else if (step.do === 'coupon') log.push({ ...common, type: 'CouponApplied', code: line });
    else if (step.do === 'clear') log.push({ ...common, type: 'CartCleared', observed: seen.map(({ dot }) => dot) });
    else if (step.do === 'join') logs.user.push({ ...joinOf(logs.guest, BigInt(logs.guest.length)), atMs: 10 + at });
    else if (step.do === 'order')
      logs.user.push({ type: 'OrderPlaced', cartId: user, atMs: 10 + at, orderId: id(at), dots: seen.slice(0, 2).map(({ dot }) => dot) });
    else if (all.length > 0) {
      const again = all[step.pick % all.length]!;
      logs.user.push({ ...again, cartId: user, dot: dotOf(user, commandOfDot(again.dot)) });
    }
  }
  return logs.user;
}
