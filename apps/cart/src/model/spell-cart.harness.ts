import type { CartState } from './cart.ts';

/** A text that is equal for equal carts: the order of insertion is no part of a cart. */
export function spell(state: CartState): string {
  return JSON.stringify(state, (_key, value: unknown) => {
    if (value instanceof Set) return [...(value as Set<string>)].sort();
    if (value instanceof Map) return [...(value as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1));
    return typeof value === 'bigint' ? String(value) : value;
  });
}
