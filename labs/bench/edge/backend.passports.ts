/**
 * The backend of the benchmarks verifies a passport or an access token as the real cart does
 * (libs/identity/src/identity.module.ts): with the same verifier.
 */
import { isProblem } from '@cloakroom/contracts';
import { createPassportVerifier, type KeyRing, type PassportVerifier } from '@cloakroom/identity';
import { readCallMetadata } from '@cloakroom/mesh';
import { systemClock } from '@cloakroom/platform';
import { status, type handleUnaryCall } from '@grpc/grpc-js';

/** The verifier as cart makes it, without the feed of revocations: that is a look-up in memory, and it would need the log. */
export function cartVerifier(keys: KeyRing): PassportVerifier {
  return createPassportVerifier({ audience: 'cart', keys, clock: systemClock, accessTokens: true });
}

/**
 * A call that names no person is answered: the floor and the peers. A call with a wrong passport is
 * refused, and the benchmark fails (load.ts).
 */
export function verifying<Asked, Answered>(
  verifier: PassportVerifier,
  handler: handleUnaryCall<Asked, Answered>,
): handleUnaryCall<Asked, Answered> {
  return (call, done) => {
    const refuse = (details: string): void => done({ code: status.UNAUTHENTICATED, details });
    const metadata = readCallMetadata(call.metadata);
    if (isProblem(metadata)) return refuse(metadata.problem);
    const { passport, accessToken } = metadata;
    if (passport === undefined && accessToken === undefined) return handler(call, done);
    const verdict = passport === undefined ? verifier.verifyAccessToken(accessToken!) : verifier.verify(passport);
    void verdict.then((identity) => (isProblem(identity) ? refuse(identity.problem) : handler(call, done)));
  };
}
