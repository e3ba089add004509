import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  isProblem,
  PassportAlgorithm,
  problem,
  type Problem,
  type RotateKeysRequest,
  type RotateKeysResponseSchema,
} from '@cloakroom/contracts';
import type { JwsAlgorithm } from '@cloakroom/identity';
import type { RequestContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';

const onTheWire: Readonly<Record<JwsAlgorithm, PassportAlgorithm>> = { ES256: PassportAlgorithm.ES256, Ed25519: PassportAlgorithm.ED25519 };
const algorithms = Object.keys(onTheWire) as JwsAlgorithm[];

export async function rotateKeys(
  auth: Auth,
  ctx: RequestContext,
  { retireOldNow, passportAlgorithm: asked }: RotateKeysRequest,
): Promise<MessageInitShape<typeof RotateKeysResponseSchema> | Problem> {
  const algorithm = algorithms.find((name) => onTheWire[name] === asked);
  // An algorithm of a later build: rotating without it would seem to have switched.
  if (algorithm === undefined && asked !== PassportAlgorithm.UNSPECIFIED)
    return problem('invalid_request', 'passport_algorithm: not known here');
  const rotated = await auth.keys.rotate(retireOldNow, ctx, algorithm);
  return isProblem(rotated) ? rotated : { ...rotated, passportAlgorithm: onTheWire[rotated.passportAlgorithm] };
}
