/** Orders and previews as a page shows them: in the words of the orders service, with HTTP's names. */
import { Obstacle, type Order, type OrderLine, type OrderPreview, OrderStatus, type Problem } from '@cloakroom/contracts';
import { z } from 'zod';
import { type CartBody, currencyDefault } from '../cart/cart-answer.ts';
import { stockHeardAt, stockHeardBody } from '../catalog/product-answer.ts';

const lineFields = {
  lineId: z.string(),
  productId: z.string(),
  name: z.string().meta({ description: 'As it was when it was ordered.' }),
  options: z.record(z.string(), z.string()),
  quantity: z.int(),
  unitPrice: z.int(),
};
const lineSchema = z.object(lineFields).meta({ id: 'OrderLine', description: 'A line as it was when it was ordered.' });
const stepSchema = z
  .object({ name: z.string().meta({ description: "The event's name, as on the topic order.events." }), at: z.iso.datetime() })
  .meta({ id: 'OrderStep' });

const statuses = { [OrderStatus.PENDING]: 'pending', [OrderStatus.PLACED]: 'placed', [OrderStatus.CANCELLED]: 'cancelled' } as const;

export const orderSchema = z
  .object({
    orderId: z.string(),
    status: z.enum(['pending', 'placed', 'cancelled']).meta({
      description: 'pending: taken; whether it was paid is being found out. The live event `order` says when that is known.',
    }),
    lines: z.array(lineSchema),
    subtotal: z.int(),
    discount: z.int(),
    coupon: z.string().optional().meta({ description: 'The one that counted.' }),
    total: z.int(),
    currency: z.string().length(3),
    placedAt: z.iso.datetime(),
    address: z.object({
      name: z.string(),
      line1: z.string(),
      line2: z.string().optional(),
      city: z.string(),
      postalCode: z.string(),
      country: z.string(),
    }),
    steps: z.array(stepSchema).meta({ description: 'What became of it so far, oldest first.' }),
    paymentMethod: z.string(),
    reason: z.string().optional().meta({ description: 'Of a cancelled one: payment_declined, out_of_stock, unavailable.' }),
  })
  .meta({ id: 'Order' });

export const orderPageSchema = z
  .object({ items: z.array(orderSchema), total: z.int(), page: z.int(), pageSize: z.int() })
  .meta({ id: 'OrderPage' });

const obstacles = {
  [Obstacle.UNKNOWN_PRODUCT]: 'unknown_product',
  [Obstacle.OUT_OF_STOCK]: 'out_of_stock',
  [Obstacle.LIMIT]: 'limit',
  [Obstacle.UNKNOWN_COUPON]: 'unknown_coupon',
  [Obstacle.EXPIRED]: 'expired',
  [Obstacle.SUBTOTAL_TOO_LOW]: 'subtotal_too_low',
  [Obstacle.USED_BEFORE]: 'used_before',
  [Obstacle.NOT_THE_BEST]: 'not_the_best',
} as const;
const obstacle = z
  .enum(Object.values(obstacles) as [ObstacleName, ...ObstacleName[]])
  .meta({ id: 'Obstacle', description: 'Why a line or a coupon cannot be ordered as it is. Absent: it can.' })
  .optional();
type ObstacleName = (typeof obstacles)[keyof typeof obstacles];

const previewLineSchema = z.object({ ...lineFields, inStock: z.int(), obstacle }).meta({ id: 'PreviewLine' });
const previewCouponSchema = z
  .object({
    code: z.string(),
    description: z.string().meta({ description: 'In words: "10 % off".' }),
    discount: z.int(),
    obstacle,
  })
  .meta({ id: 'PreviewCoupon' });

export const previewSchema = z
  .object({
    lines: z.array(previewLineSchema),
    coupons: z.array(previewCouponSchema),
    subtotal: z.int(),
    discount: z.int(),
    total: z.int(),
    currency: z.string().length(3),
    cartChanged: z.boolean().meta({ description: 'The cart has lost something that was seen. Show the cart again.' }),
    stockHeardAt,
    unheard: z
      .array(z.string())
      .optional()
      .meta({ description: 'Regions that are out of reach. What this person changed in the cart there is not known here yet.' }),
  })
  .meta({ id: 'OrderPreview', description: 'What an order of this cart would be now.' });

type OrderBody = z.output<typeof orderSchema>;
type PreviewBody = z.output<typeof previewSchema>;

/** A Problem with the cart or the preview that the page must show before the person orders again. */
export interface CheckoutProblem extends Problem {
  readonly cart?: CartBody | undefined;
  /** The position that the cart was read at, as with a read of the cart. */
  readonly reached?: string;
  readonly preview?: PreviewBody | undefined;
}

export function orderBodyOf(order: Order): OrderBody {
  const { address } = order;
  return {
    orderId: order.orderId,
    status: order.status === OrderStatus.UNSPECIFIED ? 'pending' : statuses[order.status],
    lines: order.lines.map(lineBody),
    subtotal: Number(order.subtotal),
    discount: Number(order.discount),
    ...(order.coupon !== '' && { coupon: order.coupon }),
    total: Number(order.total),
    currency: order.currency,
    placedAt: timeOf(order.placedAtMs),
    address: {
      name: address?.name ?? '',
      line1: address?.line1 ?? '',
      ...(address !== undefined && address.line2 !== '' && { line2: address.line2 }),
      city: address?.city ?? '',
      postalCode: address?.postalCode ?? '',
      country: address?.country ?? '',
    },
    steps: order.steps.map(({ name, atMs }) => ({ name, at: timeOf(atMs) })),
    paymentMethod: order.paymentMethod,
    ...(order.reason !== '' && { reason: order.reason }),
  };
}

export function previewBodyOf(preview: OrderPreview): PreviewBody {
  return {
    lines: preview.lines.flatMap(({ line, inStock, obstacle: why }) =>
      line === undefined ? [] : [{ ...lineBody(line), inStock, ...obstacleBody(why) }],
    ),
    coupons: preview.coupons.map(({ code, description, discount, obstacle: why }) => ({
      code,
      description,
      discount: Number(discount),
      ...obstacleBody(why),
    })),
    subtotal: Number(preview.subtotal),
    discount: Number(preview.discount),
    total: Number(preview.total),
    // An empty preview has no currency.
    currency: preview.currency === '' ? currencyDefault : preview.currency,
    cartChanged: preview.cartChanged,
    ...stockHeardBody(preview.stockHeardAtMs),
  };
}

function lineBody({ lineId, productId, name, options, quantity, unitPrice }: OrderLine): OrderBody['lines'][number] {
  return { lineId, productId, name, options: { ...options }, quantity, unitPrice: Number(unitPrice) };
}

const obstacleBody = (why: Obstacle): { readonly obstacle?: ObstacleName } =>
  why === Obstacle.UNSPECIFIED ? {} : { obstacle: obstacles[why] };

const timeOf = (ms: bigint): string => new Date(Number(ms)).toISOString();
