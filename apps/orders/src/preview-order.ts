import type { MessageInitShape } from '@bufbuild/protobuf';
import { problem, type OrderPreviewSchema, type PreviewOrderRequest, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import type { OrdersParts } from './parts.ts';

export async function previewOrder(
  _parts: OrdersParts,
  _ctx: PersonContext,
  _request: PreviewOrderRequest,
): Promise<MessageInitShape<typeof OrderPreviewSchema> | Problem> {
  return Promise.resolve(problem('unavailable', undefined, 1));
}
