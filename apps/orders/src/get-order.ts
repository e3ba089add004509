import type { MessageInitShape } from '@bufbuild/protobuf';
import { problem, type OrderSchema, type GetOrderRequest, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import type { OrdersParts } from './parts.ts';

export async function getOrder(
  _parts: OrdersParts,
  _ctx: PersonContext,
  _request: GetOrderRequest,
): Promise<MessageInitShape<typeof OrderSchema> | Problem> {
  return Promise.resolve(problem('unavailable', undefined, 1));
}
