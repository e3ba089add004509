/** The cart as a page shows it: lines from the cart service, names and prices from the catalog, never from a client. */
import { type Cart, type CartLine, MergeState, optionsOf, type Product } from '@cloakroom/contracts';
import { z } from 'zod';

const lineSchema = z
  .object({
    lineId: z.string(),
    productId: z.string(),
    options: z.record(z.string(), z.string()).meta({ description: "In the order in which the product's page asks for them." }),
    name: z.string().meta({ description: '"No longer available" when the catalog does not know the product any more.' }),
    image: z.string().meta({ description: 'A path on this origin. Empty when the product is not available.' }),
    quantity: z.int(),
    unitPrice: z.int().meta({ description: 'In minor units. 0 when the product is not available; it does not count in the subtotal.' }),
    currency: z.string().length(3),
    available: z.boolean().meta({ description: 'False when the catalog no longer knows the product. It has no price then.' }),
    inStock: z
      .int()
      .optional()
      .meta({ description: 'How many the shop has of the product, for all lines of it together, as last read. Check-out judges it.' }),
    seen: z.string().meta({ description: 'Opaque. Send it back with a change of this line.' }),
  })
  .meta({ id: 'CartLine' });

const couponSchema = z
  .object({ code: z.string(), seen: z.string().meta({ description: 'Opaque. Send it back when removing this coupon.' }) })
  .meta({ id: 'CartCoupon' });

export const cartSchema = z
  .object({
    cartId: z.string(),
    lines: z.array(lineSchema),
    coupons: z.array(couponSchema).meta({ description: 'Only noted here: what they are worth is judged at check-out.' }),
    seen: z.string().meta({ description: 'Opaque. Send it back when clearing or ordering the cart.' }),
    subtotal: z.int(),
    currency: z.string().length(3),
    stale: z.boolean().meta({
      description:
        'It may lack what the token that you brought stands for: your writes, or what you were shown. Or the log cannot be heard.',
    }),
    behind: z.int().nonnegative().meta({
      description:
        "How many records of this region's log the view is behind the token that you brought. 0 when it holds them, or in a stale cart whose log cannot be heard.",
    }),
    behindRegions: z
      .array(z.object({ region: z.string(), records: z.int().positive() }))
      .optional()
      .meta({
        description: 'Other regions whose records the token names and the view lacks: it waits for a copy. Absent when there is none.',
      }),
    incomplete: z.boolean().meta({ description: 'A record of this cart waits for an operator.' }),
    merge: z.object({ state: z.enum(['none', 'pending', 'merged']), from: z.string().optional(), at: z.iso.datetime().optional() }),
  })
  .meta({ id: 'Cart' });

export type CartBody = z.output<typeof cartSchema>;

/** The currency of an empty cart; the catalog of this shop has one currency. */
export const currencyDefault = 'EUR';
const goneName = 'No longer available';

export function cartBody(cart: Cart, products: ReadonlyMap<string, Product>): CartBody {
  const currency = products.values().next().value?.currency ?? currencyDefault;
  const lines = cart.lines.map((line) => lineBody(line, products.get(line.productId), currency));
  return {
    cartId: cart.cartId,
    lines,
    coupons: cart.coupons.map(({ code, seen }) => ({ code, seen })),
    seen: cart.seen,
    subtotal: lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0),
    currency,
    stale: cart.stale,
    behind: Number(cart.behind),
    ...(cart.behindRegions.length > 0 && {
      behindRegions: cart.behindRegions.map(({ region, records }) => ({ region, records: Number(records) })),
    }),
    incomplete: cart.incomplete,
    merge: mergeBody(cart),
  };
}

function lineBody(line: CartLine, product: Product | undefined, currency: string): CartBody['lines'][number] {
  return {
    lineId: line.lineId,
    productId: line.productId,
    options: optionsOf(line, product),
    name: product?.name ?? goneName,
    image: product?.image ?? '',
    quantity: line.quantity,
    unitPrice: product === undefined ? 0 : Number(product.price),
    currency: product?.currency ?? currency,
    available: product !== undefined,
    ...(product !== undefined && { inStock: product.stock }),
    seen: line.seen,
  };
}

const mergeNames = { [MergeState.PENDING]: 'pending', [MergeState.MERGED]: 'merged' } as const;

function mergeBody({ merge }: Cart): CartBody['merge'] {
  if (merge === undefined || (merge.state !== MergeState.PENDING && merge.state !== MergeState.MERGED)) return { state: 'none' };
  return {
    state: mergeNames[merge.state],
    ...(merge.from !== '' && { from: merge.from }),
    ...(merge.atMs > 0n && { at: new Date(Number(merge.atMs)).toISOString() }),
  };
}
