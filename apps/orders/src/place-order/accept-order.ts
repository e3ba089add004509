/**
 * The one transaction that takes an order. Before its commit nothing has happened. After its commit some process finishes the order, whichever
 * process is killed.
 *
 * Two simultaneous requests meet at the unique keys. With the same idempotency key, the later request finds the order of the first. With the same
 * command, the later request finds it taken, under whichever name. All insert in one sequence (key, coupon, commands by id), so two transactions
 * never deadlock.
 */
import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import { traceOfCause } from '@cloakroom/event-log';
import { type PersonContext } from '@cloakroom/mesh';
import type { Transaction } from 'kysely';
import { announce } from '../saga/announce.ts';
import { isOnceAPerson } from './coupons.ts';
import type { OrderedAddress, OrderedLine, OrderRow, OrdersSchema } from '../orders.ts';
import { newId, type OrdersParts } from '../orders.dependencies.ts';
import type { Quote } from './quote.ts';

export interface Acceptance {
  readonly idempotencyKey: string;
  readonly bodyHash: string;
  readonly quote: Quote;
  readonly address: OrderedAddress;
  readonly paymentMethod: string;
}

/** Rolls the transaction back. */
class Refused extends Error {
  readonly problem: Problem;
  constructor(refusal: Problem) {
    super(refusal.problem);
    this.problem = refusal;
  }
}

/** @returns the order of that key, whether it was made now or before */
export async function acceptOrder(parts: OrdersParts, ctx: PersonContext, acceptance: Acceptance): Promise<OrderRow | Problem> {
  const row = rowOf(parts, ctx, acceptance);
  const { quote } = acceptance;
  try {
    const accepted = await parts.db.transaction().execute(async (trx) => {
      const made = await trx
        .insertInto('orders')
        .values(row)
        .onConflict((conflict) => conflict.columns(['user_id', 'idempotency_key']).doNothing())
        .returning('order_id')
        .executeTakeFirst();
      if (made === undefined) return findByKey(trx, row.user_id, row.idempotency_key);
      if (isOnceAPerson(row.coupon)) await useCoupon(trx, row);
      await takeDots(
        trx,
        row,
        [...quote.lines, ...quote.coupons].flatMap(({ dots }) => dots),
      );
      const event = { total: BigInt(row.total), currency: row.currency };
      await announce(trx, parts, row, [{ case: 'accepted', value: event }]);
      return row;
    });
    parts.committed();
    return accepted ?? problem('outcome_unknown');
  } catch (error) {
    if (error instanceof Refused) return error.problem;
    throw error;
  }
}

export const findByKey = (db: OrdersParts['db'], userId: string, key: string): Promise<OrderRow | undefined> =>
  db.selectFrom('orders').selectAll().where('user_id', '=', userId).where('idempotency_key', '=', key).executeTakeFirst();

function rowOf(parts: OrdersParts, ctx: PersonContext, { idempotencyKey, bodyHash, quote, address, paymentMethod }: Acceptance): OrderRow {
  const lines = quote.lines.map(({ lineId, productId, name, options, quantity, unitPrice }): OrderedLine => ({
    lineId,
    productId,
    name,
    options,
    quantity,
    unitPrice,
  }));
  return {
    order_id: newId(parts),
    user_id: ctx.identity.subject,
    idempotency_key: idempotencyKey,
    body_hash: bodyHash,
    phase: 'accepted',
    reason: '',
    stock_reserved: 0,
    release_due: 0,
    lines: JSON.stringify(lines),
    address: JSON.stringify(address),
    subtotal: quote.subtotal,
    discount: quote.discount,
    coupon: quote.coupon?.code ?? '',
    total: quote.total,
    currency: quote.currency,
    payment_method: paymentMethod,
    placed_at_ms: parts.clock.nowMs(),
    ...traceOfCause(ctx),
  };
}

async function useCoupon(trx: Transaction<OrdersSchema>, row: OrderRow): Promise<void> {
  const used = await trx
    .insertInto('coupon_uses')
    .values({ user_id: row.user_id, code: row.coupon, order_id: row.order_id })
    .onConflict((conflict) => conflict.columns(['user_id', 'code']).doNothing())
    .returning('code')
    .executeTakeFirst();
  if (used === undefined) throw new Refused(problem('price_changed', 'The coupon was used by another order meanwhile.'));
}

/**
 * Takes all dots or none: a cart that was ordered before, by whichever key, is not ordered again. The order also takes a coupon that was shown and
 * did not count, since that coupon would otherwise discount the next order unasked.
 */
async function takeDots(trx: Transaction<OrdersSchema>, order: OrderRow, dots: readonly string[]): Promise<void> {
  const byCommand = new Map(dots.map((dot) => [dot.slice(dot.indexOf('/') + 1), dot]));
  const rows = [...byCommand].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, dot]) => ({ dot, order_id: order.order_id }));
  // The database leaves out dots that another order has under another name (orders.commands.ts).
  const taken = await trx
    .insertInto('order_dots')
    .values(rows)
    .onConflict((conflict) => conflict.column('dot').doNothing())
    .returning('dot')
    .execute();
  if (taken.length < rows.length) throw new Refused(problem('cart_changed', 'Some of it is in another order.'));
}

/** The earlier order of this key, if it asked for the same thing. */
export function sameOrder(known: OrderRow | Problem, bodyHash: string): OrderRow | Problem {
  if (isProblem(known) || known.body_hash === bodyHash) return known;
  return problem('idempotency_key_reused');
}
