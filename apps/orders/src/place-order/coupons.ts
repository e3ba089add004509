/** The coupons of the shop, and which one counts. Check-out alone judges them, whatever the cart noted. Pure. */
import { Obstacle } from '@cloakroom/contracts';

interface Coupon {
  /** Text for a person. */
  readonly description: string;
  /** In minor units; never more than the subtotal. */
  readonly discountOf: (subtotal: number) => number;
  readonly subtotalMin?: number;
  /** Milliseconds since 1970. */
  readonly expiresAtMs?: number;
  readonly onceAPerson?: boolean;
}

/** The shop keeps fractions of a minor unit. */
const percent =
  (share: number) =>
  (subtotal: number): number =>
    Math.floor((subtotal * share) / 100);

const coupons: ReadonlyMap<string, Coupon> = new Map<string, Coupon>([
  ['WELCOME10', { description: '10 % off, once', discountOf: percent(10), onceAPerson: true }],
  ['WINTER5', { description: '5.00 off from 50.00', discountOf: () => 500, subtotalMin: 5_000 }],
  ['SUMMER20', { description: '20 % off in summer', discountOf: percent(20), expiresAtMs: Date.UTC(2025, 8, 1) }],
]);

export const isOnceAPerson = (code: string): boolean => coupons.get(code)?.onceAPerson === true;

export interface JudgedCoupon {
  readonly code: string;
  /** UNSPECIFIED: the coupon counts. At most one does. */
  readonly obstacle: Obstacle;
  readonly discount: number;
  readonly description: string;
}

/**
 * @param used codes that this person has used up
 * @returns the coupons in the order given. The one with the largest discount counts. Among equals the first by code counts, so that two replicas
 * agree.
 */
export function judgeCoupons(
  codes: readonly string[],
  { subtotal, used, nowMs }: { readonly subtotal: number; readonly used: ReadonlySet<string>; readonly nowMs: number },
): JudgedCoupon[] {
  const judged = codes.map((code): JudgedCoupon => {
    const coupon = coupons.get(code);
    if (coupon === undefined) return { code, obstacle: Obstacle.UNKNOWN_COUPON, discount: 0, description: '' };
    const { description } = coupon;
    const refused = (obstacle: Obstacle): JudgedCoupon => ({ code, obstacle, discount: 0, description });
    if (coupon.expiresAtMs !== undefined && nowMs >= coupon.expiresAtMs) return refused(Obstacle.EXPIRED);
    if (used.has(code)) return refused(Obstacle.USED_BEFORE);
    if (subtotal < (coupon.subtotalMin ?? 0)) return refused(Obstacle.SUBTOTAL_TOO_LOW);
    return { code, obstacle: Obstacle.UNSPECIFIED, discount: Math.min(subtotal, coupon.discountOf(subtotal)), description };
  });
  const best = judged
    .filter(({ obstacle }) => obstacle === Obstacle.UNSPECIFIED)
    .toSorted((a, b) => b.discount - a.discount || (a.code < b.code ? -1 : 1))[0];
  return judged.map((each) =>
    each.obstacle === Obstacle.UNSPECIFIED && each !== best ? { ...each, obstacle: Obstacle.NOT_THE_BEST, discount: 0 } : each,
  );
}
