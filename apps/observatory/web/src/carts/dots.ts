/** The dots of a cart, by the cart in which each was made. Pure. */
import type { CartLogView, CartStepView } from '../../../src/api.ts';

export interface DotView {
  /** The command's id. */
  readonly id: string;
  readonly isLive: boolean;
  /** The line that it counts in, or the coupon. */
  readonly of: string;
  /** Undefined for a dot of a guest: its record is in the guest's own log. */
  readonly offset: string | undefined;
}

export interface DotsOfCart {
  readonly cartId: string;
  readonly partition: number;
  readonly dots: readonly DotView[];
  /**
   * Dead ids of a guest that the join names without a line: a dot that the guest removed, or the id of the removal. The join does not tell them apart,
   * and the guest's own log does.
   */
  readonly deadUnnamed: number;
}

interface Named {
  readonly line?: string;
  readonly code?: string;
}

/** A removal's own id is among the dead, so that it never becomes an add. It is no dot that anything was made of. */
const removals: ReadonlySet<unknown> = new Set(['ItemRemoved', 'CartCleared', 'CouponRemoved']);

/** As they stood after one step: those that the cart holds, and those that died in it. The cart's own first, then each guest's. */
export function dotsByCart({ cartId, partition, guests, steps }: CartLogView, at: number): DotsOfCart[] {
  const step = steps[at];
  if (!step) return [];
  const states = new Map(Object.keys(step.after.dead).map((id) => [id, false]));
  for (const dot of [...step.after.lines, ...step.after.coupons].flatMap(({ dots }) => dots)) states.set(commandOf(dot), true);
  const found = new Map<string, DotView & { readonly madeIn: string }>();
  const note = (id: string, madeIn: string, { line, code }: Named, offset?: string): void => {
    const isLive = states.get(id);
    if (isLive !== undefined && !found.has(id)) found.set(id, { id, isLive, of: line ?? code ?? '', offset, madeIn });
  };
  for (const { event, offset } of steps.slice(0, at + 1)) {
    if (typeof event?.['dot'] === 'string' && !removals.has(event['type'])) note(commandOf(event['dot']), cartId, event, offset);
    const guest = event?.['guestCartId'];
    if (typeof guest === 'string')
      for (const [id, named] of [...membersOf(event, 'dots'), ...membersOf(event, 'coupons'), ...membersOf(event, 'dead')])
        note(id, guest, named);
  }
  const byCart = Map.groupBy(found.values(), ({ madeIn }) => madeIn);
  return [{ cartId, partition }, ...guests.filter(({ cartId: guest }) => guest in step.after.joined)].map((one) => {
    const all = byCart.get(one.cartId) ?? [];
    const named = all.filter(({ isLive, of }) => isLive || of !== '');
    return {
      cartId: one.cartId,
      partition: one.partition,
      dots: named.map(({ id, isLive, of, offset }) => ({ id, isLive, of, offset })),
      deadUnnamed: all.length - named.length,
    };
  });
}

const commandOf = (dot: string): string => dot.slice(dot.indexOf('/') + 1);

/** Reads a map of the event: the name of each line is its value, or a member of it. */
function membersOf(event: CartStepView['event'], name: string): [string, Named][] {
  const told = event?.[name];
  if (typeof told !== 'object' || told === null) return [];
  return Object.entries(told).map(([id, value]) => [
    id,
    typeof value === 'string' ? { code: value } : typeof value === 'object' ? (value as Named) : {},
  ]);
}
