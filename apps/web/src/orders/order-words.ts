/** Puts orders into words. */
import type { Obstacle, Order, PreviewLine } from '@cloakroom/contracts/http';

/** The orders service takes no larger quantity of one product. */
export const orderedQuantityMax = 50;

export function statusWord({ status }: Pick<Order, 'status'>): { readonly word: string; readonly tone: 'good' | 'warn' | 'bad' } {
  switch (status) {
    case 'placed':
      return { word: 'Placed', tone: 'good' };
    case 'pending':
      return { word: 'Confirming payment', tone: 'warn' };
    case 'cancelled':
      return { word: 'Cancelled', tone: 'bad' };
  }
}

export function cancelledWords(reason: string | undefined): string {
  switch (reason) {
    case 'payment_declined':
      return 'The payment was declined. Nothing was charged, and what you wanted is still in your cart.';
    case 'out_of_stock':
      return 'There was not enough in stock. Nothing was charged, and what you wanted is still in your cart.';
    default:
      return 'This order was cancelled. Nothing was charged.';
  }
}

/** The saga's events (topic order.events) in words. An unknown event keeps its own name. */
const stepWords: Readonly<Record<string, string>> = {
  OrderAccepted: 'Order taken',
  StockReserved: 'Set aside in the stock',
  StockShort: 'Not enough in stock',
  PaymentUnknown: 'The card has not answered yet',
  PaymentCaptured: 'Paid',
  PaymentDeclined: 'Payment declined',
  OrderConfirmed: 'Confirmed',
  OrderCancelled: 'Cancelled',
  StockReleased: 'Put back into the stock',
};
export const stepWord = (name: string): string => stepWords[name] ?? name;

const badSteps: ReadonlySet<string> = new Set(['StockShort', 'PaymentDeclined', 'OrderCancelled']);
export function stepTone(name: string): 'good' | 'warn' | 'bad' {
  if (badSteps.has(name)) return 'bad';
  return name === 'PaymentUnknown' || name === 'StockReleased' ? 'warn' : 'good';
}

/** Says how much later than the step before this step came, because a reader wants to know which step took long. */
export function laterWords(ms: number): string {
  if (ms < 1_000) return `+${Math.max(0, Math.round(ms))} ms`;
  return ms < 60_000 ? `+${(ms / 1_000).toFixed(1)} s` : `+${Math.round(ms / 60_000)} min`;
}

/** @param regions that are out of reach, and may hold changes of this cart */
export function unheardWords(regions: readonly string[] = []): string | undefined {
  if (regions.length === 0) return undefined;
  return `Region ${regions.join(', ')} cannot be reached. If you changed your cart there, that shows here later. You order what this page shows.`;
}

/** @param inStock the stock of the product; only `out_of_stock` needs it */
export function obstacleWords(obstacle: Obstacle, inStock = 0): string {
  switch (obstacle) {
    case 'unknown_product':
      return 'The shop has this no more.';
    case 'out_of_stock':
      return inStock === 0 ? 'Sold out.' : `Only ${inStock} in stock.`;
    case 'limit':
      return `More than one order takes (${orderedQuantityMax} of a product).`;
    case 'unknown_coupon':
      return 'There is no such coupon.';
    case 'expired':
      return 'Expired.';
    case 'subtotal_too_low':
      return 'Your cart is below what it asks for.';
    case 'used_before':
      return 'You have used it before.';
    case 'not_the_best':
      return 'Another one saves more, and one counts.';
  }
}

/**
 * The quantity to which a person may reduce a line, so that it can be ordered. 0: only a removal helps.
 * Stock and limit count for the product, so other lines of the product leave less for this one.
 */
export function orderableQuantity(line: PreviewLine, lines: readonly PreviewLine[]): number {
  if (line.obstacle === undefined || line.obstacle === 'unknown_product') return 0;
  const others = lines.filter(({ lineId, productId }) => productId === line.productId && lineId !== line.lineId);
  const most = Math.min(line.inStock, orderedQuantityMax) - others.reduce((sum, { quantity }) => sum + quantity, 0);
  return most < line.quantity ? Math.max(0, most) : 0;
}
