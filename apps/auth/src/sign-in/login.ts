/**
 * Signing in is a saga over two places that share no transaction: the database and the session store. It also spans two slots of the store, the
 * guest's and the user's. The order of its steps makes every crash harmless:
 *
 * 1. One transaction claims the guest cart and announces the claim (claim.ts). Before it commits, nothing has happened.
 * 2. The user's session is created. Until here the guest keeps everything: the guest's session lives, and a claim by the same user is resumed.
 * 3. The browser's old session is ended: row and announcement, then the store.
 * 4. The answer carries the only copy of the new token. If the answer is lost, the person signs in again.
 *
 * A request that is repeated after any step claims nothing twice. If the client never repeats it, finish-claims.ts does step 3.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type LoginRequest, passwordLengthMax, problem, type Problem, type SessionIssuedSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import { z } from 'zod';
import { accountToProve, emailSchema, violations } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { challengeSecondFactor } from '../factors/challenge-second-factor.ts';
import { claimGuestCart, closeClaim, sessionBefore } from './claim.ts';
import { claimAbroad } from './claim-abroad.ts';
import { knownFrom, rememberDevice } from '../throttle/known-devices.ts';
import { issueTokens } from '../tokens/issue-tokens.ts';
import { loginAbroad } from './login-abroad.ts';
import { provePassword } from './prove-password.ts';
import { countedAs } from '../throttle/throttle.ts';
import { endSession } from '../revocation/revocations.ts';
import { modeFor } from '../sessions/session-view.ts';
import type { SignIn } from './sign-in.ts';
import { startUserSession } from './start-user-session.ts';

/** A wrong password may have any length; only hashed passwords are bounded. */
const credentials = z.object({
  email: emailSchema,
  password: z.string().min(1, 'must not be empty').max(passwordLengthMax, 'is too long'),
});

export async function login(
  auth: Auth,
  ctx: RequestContext,
  request: LoginRequest,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const given = credentials.safeParse(request);
  if (!given.success) return problem('invalid_request', violations(given.error));
  const mode = modeFor(auth, request.mode);
  if (isProblem(mode)) return mode;
  const { email, password } = given.data;
  const before = await sessionBefore(auth, request.currentToken);
  const { account, epoch = 0 } = (await accountToProve(auth.database, email)) ?? {};
  const known = await knownFrom(auth, request.knownDevice, before.live, account?.id);
  // A device that the account knows learns nothing from a refusal, so the other region need not be asked.
  const abroad = known === 'stranger' ? auth.abroad : undefined;
  const guess = { name: countedAs(email), account, address: request.remoteAddress, known, waits: abroad === undefined };
  const proven = await provePassword(auth, guess, password);
  if (isProblem(proven)) {
    const refused = { request, name: guess.name, isHere: account !== undefined, before, refusal: proven };
    return abroad === undefined ? proven : loginAbroad(auth, ctx, abroad, refused);
  }
  const challenge = await challengeSecondFactor(auth, proven, epoch, mode);
  if (challenge !== undefined) return isProblem(challenge) ? challenge : { secondFactor: challenge };
  const nowMs = auth.clock.nowMs();
  const claimedGuestCart = await auth.outbox.commit((trx) => claimGuestCart(auth, trx, ctx, before, proven.id, nowMs));
  const { knownDevice } = request;
  return finishSignIn(auth, ctx, {
    account: proven,
    before,
    claimedGuestCart,
    epoch,
    mode,
    device: request.device?.label ?? '',
    knownDevice,
  });
}

/** Steps 2 to 4 of the saga. */
export async function finishSignIn(
  auth: Auth,
  cause: RequestContext,
  signIn: SignIn,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const { claimedGuestCart, claimWaits } = await claimAbroad(auth, cause, signIn);
  const started = await startUserSession(auth, cause, { ...signIn, claimedGuestCart });
  if (isProblem(started)) return started;
  const { live } = signIn.before;
  if (live !== undefined) {
    await endSession(auth, cause, live, live.state === 'guest' ? (trx) => closeClaim(trx, live.subject) : undefined);
  }
  const knownDevice = await rememberDevice(auth, signIn.account.id, signIn.knownDevice, { isNew: signIn.isNew === true });
  const { session, token, atMs, endedOldest } = started;
  const issued = issueTokens(auth, session, signIn.account, token, atMs);
  return { ...issued, endedOldest, knownDevice, currentTokenOwn: signIn.before.own, claimWaits };
}
