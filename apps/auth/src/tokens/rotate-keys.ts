import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Problem, RotateKeysRequest, RotateKeysResponseSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';

export const rotateKeys = (
  auth: Auth,
  ctx: RequestContext,
  request: RotateKeysRequest,
): Promise<MessageInitShape<typeof RotateKeysResponseSchema> | Problem> => auth.keys.rotate(request.retireOldNow, ctx);
