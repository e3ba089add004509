import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  orderPageMax,
  pageSizeMax,
  problem,
  type ListOrdersRequest,
  type ListOrdersResponseSchema,
  type Problem,
} from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { orderMessages } from './order-message.ts';
import { orUnavailable } from '../or-unavailable.ts';
import type { OrdersParts } from '../orders.dependencies.ts';

/** Newest first: an order's id begins with its time. */
export async function listOrders(
  { db }: Pick<OrdersParts, 'db'>,
  ctx: PersonContext,
  { page, pageSize }: Pick<ListOrdersRequest, 'page' | 'pageSize'>,
): Promise<MessageInitShape<typeof ListOrdersResponseSchema> | Problem> {
  if (page < 1 || page > orderPageMax) return problem('invalid_request', `page: 1 to ${orderPageMax}`);
  if (pageSize < 1 || pageSize > pageSizeMax) return problem('invalid_request', `pageSize: 1 to ${pageSizeMax}`);
  const mine = () => db.selectFrom('orders').where('user_id', '=', ctx.identity.subject);
  return orUnavailable(async () => {
    const { total } = await mine()
      .select((row) => row.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow();
    const rows = await mine()
      .selectAll()
      .orderBy('order_id', 'desc')
      .limit(pageSize)
      .offset((page - 1) * pageSize)
      .execute();
    return { items: await orderMessages(db, rows), total: Number(total), page, pageSize };
  });
}
