import type { MessageInitShape } from '@bufbuild/protobuf';
import { problem, type ListOrdersResponseSchema, type ListOrdersRequest, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import type { OrdersParts } from './parts.ts';

export async function listOrders(
  _parts: OrdersParts,
  _ctx: PersonContext,
  _request: ListOrdersRequest,
): Promise<MessageInitShape<typeof ListOrdersResponseSchema> | Problem> {
  return Promise.resolve(problem('unavailable', undefined, 1));
}
