/** A quote of this part of a cart at this moment. The cart gives the lines, the catalog price and stock, and this service the coupons. */
import {
  cartLineCountMax,
  formatUuid,
  isProblem,
  Obstacle,
  optionsOf,
  problem,
  type Dot,
  type PreparedLine,
  type PreparedOrder,
  type Problem,
  type Product,
} from '@cloakroom/contracts';
import { forward, type PersonContext } from '@cloakroom/mesh';
import { judgeCoupons, type JudgedCoupon } from './coupons.ts';
import type { OrderedLine } from '../orders.ts';
import type { OrdersParts } from '../orders.dependencies.ts';

/** Limit per product in an order, over all its lines: the shop sells to people. */
export const quantityPerProductMax = 50;
/** Seconds. The view of the cart is milliseconds behind, or its log is unavailable. */
const staleRetryS = 1;

export interface QuotedLine extends OrderedLine {
  readonly obstacle: Obstacle;
  readonly inStock: number;
  /** "<cart>/<command>" */
  readonly dots: readonly string[];
}

export interface QuotedCoupon extends JudgedCoupon {
  readonly dots: readonly string[];
}

export interface Quote {
  readonly lines: readonly QuotedLine[];
  readonly coupons: readonly QuotedCoupon[];
  /** The coupon that counts. */
  readonly coupon: QuotedCoupon | undefined;
  readonly subtotal: number;
  readonly discount: number;
  readonly total: number;
  /** '' when there is no line. */
  readonly currency: string;
  /** A line that the person saw is gone from the cart. */
  readonly changed: boolean;
  /** Not 0 while the region that decides about the stock is out of reach: when it was last heard. */
  readonly stockHeardAtMs: bigint;
}

export async function quoteOrder(parts: OrdersParts, ctx: PersonContext, seen: string): Promise<Quote | Problem> {
  const prepared = await prepare(parts, ctx, seen);
  if (isProblem(prepared)) return prepared;
  const productIds = [...new Set(prepared.lines.map(({ productId }) => productId))];
  const products = productIds.length === 0 ? { items: [] } : await parts.catalog.getProducts(forward(ctx), { productIds });
  if (isProblem(products)) return products;
  return price(prepared, products.items, { used: await usedCoupons(parts, ctx.identity.subject), nowMs: parts.clock.nowMs() });
}

async function prepare(parts: OrdersParts, ctx: PersonContext, seen: string): Promise<PreparedOrder | Problem> {
  const passport = await parts.exchange.exchangeFor(ctx, 'cart');
  if (isProblem(passport)) return passport;
  const prepared = await parts.cart.prepareOrder(forward(ctx, { passport }), { seen });
  if (isProblem(prepared)) return prepared;
  return prepared.stale ? problem('unavailable', 'The cart is being brought up to date.', staleRetryS) : prepared;
}

async function usedCoupons({ db }: OrdersParts, userId: string): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('coupon_uses').select('code').where('user_id', '=', userId).execute();
  return new Set(rows.map(({ code }) => code));
}

/** Pure. */
export function price(
  prepared: PreparedOrder,
  products: readonly Product[],
  { used, nowMs }: { readonly used: ReadonlySet<string>; readonly nowMs: number },
): Quote {
  const byId = new Map(products.map((product) => [product.productId, product]));
  const currency = prepared.lines.map(({ productId }) => byId.get(productId)?.currency).find((each) => each !== undefined) ?? '';
  const wanted = new Map<string, number>();
  for (const { productId, quantity } of prepared.lines) wanted.set(productId, (wanted.get(productId) ?? 0) + quantity);
  const lines = prepared.lines.map((line, at) => {
    const product = byId.get(line.productId);
    const of = { wanted: wanted.get(line.productId)!, product, currency, at };
    return quoteLine(line, of);
  });
  const subtotal = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
  const dotsOf = new Map(prepared.coupons.map(({ code, dots }) => [code, dots.map(nameOfDot)]));
  const coupons = judgeCoupons([...dotsOf.keys()], { subtotal, used, nowMs }).map((coupon) => ({
    ...coupon,
    dots: dotsOf.get(coupon.code)!,
  }));
  const coupon = coupons.find(({ obstacle }) => obstacle === Obstacle.UNSPECIFIED);
  const discount = coupon?.discount ?? 0;
  const stockHeardAtMs = products.find((product) => product.stockHeardAtMs > 0n)?.stockHeardAtMs ?? 0n;
  return { lines, coupons, coupon, subtotal, discount, total: subtotal - discount, currency, changed: prepared.changed, stockHeardAtMs };
}

interface Judged {
  /** Quantity of the product, over all lines. */
  readonly wanted: number;
  readonly product: Product | undefined;
  readonly currency: string;
  readonly at: number;
}

function quoteLine(line: PreparedLine, { wanted, product, currency, at }: Judged): QuotedLine {
  const { lineId, productId, quantity } = line;
  return {
    lineId,
    productId,
    name: product?.name ?? productId,
    options: optionsOf(line, product),
    quantity,
    unitPrice: Number(product?.price ?? 0n),
    inStock: product?.stock ?? 0,
    obstacle: obstacleOf({ wanted, product, currency, at }),
    dots: line.dots.map(nameOfDot),
  };
}

function obstacleOf({ wanted, product, currency, at }: Judged): Obstacle {
  // An order has one currency, so a product in another currency cannot be part of it.
  if (product === undefined || product.currency !== currency) return Obstacle.UNKNOWN_PRODUCT;
  if (wanted > quantityPerProductMax || at >= cartLineCountMax) return Obstacle.LIMIT;
  return wanted > product.stock ? Obstacle.OUT_OF_STOCK : Obstacle.UNSPECIFIED;
}

/** A dot as this service keeps it: "<cart>/<command>". */
export const nameOfDot = ({ cartId, commandId }: Pick<Dot, 'cartId' | 'commandId'>): string => `${cartId}/${formatUuid(commandId)}`;
