import type { MessageInitShape } from '@bufbuild/protobuf';
import { problem, type OrderSchema, type PlaceOrderRequest, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import type { OrdersParts } from './parts.ts';

export async function placeOrder(
  _parts: OrdersParts,
  _ctx: PersonContext,
  _request: PlaceOrderRequest,
): Promise<MessageInitShape<typeof OrderSchema> | Problem> {
  return Promise.resolve(problem('unavailable', undefined, 1));
}
