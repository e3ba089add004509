import { isProblem, problem, uuidV7Milliseconds, type GetOrderRequest, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { orderMessages, type OrderMessage } from './order-message.ts';
import { orUnavailable } from '../or-unavailable.ts';
import type { OrdersParts } from '../orders.dependencies.ts';

/** Another person's order is answered as not found, even to a caller that guesses its id. */
export async function getOrder(
  { db }: Pick<OrdersParts, 'db'>,
  ctx: PersonContext,
  { orderId }: Pick<GetOrderRequest, 'orderId'>,
): Promise<OrderMessage | Problem> {
  if (uuidV7Milliseconds(orderId) === undefined) return problem('not_found');
  const found = await orUnavailable(async () => {
    const rows = await db
      .selectFrom('orders')
      .selectAll()
      .where('order_id', '=', orderId)
      .where('user_id', '=', ctx.identity.subject)
      .execute();
    return orderMessages(db, rows);
  });
  return isProblem(found) ? found : (found[0] ?? problem('not_found'));
}
