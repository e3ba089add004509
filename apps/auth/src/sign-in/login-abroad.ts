/**
 * A sign-in that did not succeed here: the account may live in the other region, so that region is asked.
 *
 * Answers and their times must not tell whether an address has an account, nor where it lives (docs/regions.md names what they still tell). So
 * every failure takes the same way, whatever the address: a hash here, a question across the ocean, a hash and a wait there. For an account that lives here the question is a decoy,
 * and the password does not leave its home. In a cut every failure gets the same answer too, `home_region_unreachable`.
 *
 * Both regions count each failure, by the e-mail and by the browser's address, and nothing but a success gives these points back. So the counts of
 * one e-mail are the same on both sides, wherever it was guessed at. A region that was out of reach counts less for a window (15 minutes).
 */
import {
  type ErrorCode,
  isUserSubject,
  type LoginRequest,
  type LoginSecondFactorRequest,
  type LoginWithPasskeyRequest,
  problem,
  isProblem,
  type Problem,
} from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import { forward, type RequestContext } from '@cloakroom/mesh';
import type { SessionIssued } from '@cloakroom/contracts';
import type { Auth } from '../auth.ts';
import type { PasskeyAnswer } from '../factors/prove-passkey.ts';
import { endSession } from '../revocation/revocations.ts';
import { type Before, claimGuestCart, closeClaim, sessionBefore } from './claim.ts';
import type { Issued } from '../tokens/issue-tokens.ts';
import { type Abroad, askAbroad } from '../accounts/abroad.ts';

interface Refused {
  readonly request: LoginRequest;
  /** The name by which the e-mail is counted. */
  readonly name: string;
  /** Whether the account lives here. */
  readonly isHere: boolean;
  readonly before: Before;
  readonly refusal: Problem;
}

export async function loginAbroad(
  auth: Auth,
  ctx: RequestContext,
  abroad: Abroad,
  { request, name, isHere, before, refusal }: Refused,
): Promise<Issued | Problem> {
  // The crowd was refused, whoever is in it.
  if (refusal.problem === 'too_many_requests') return refusal;
  const { remoteAddress: address } = request;
  const asked = isHere ? { decoy: true, login: { email: name, remoteAddress: address } } : { login: withTokenOf(abroad, before, request) };
  const answer = await askAbroad(forward(ctx), (call) => abroad.client.loginAtHome(call, asked), {
    verdicts: passwordVerdicts,
    detail: `The e-mail or the password is wrong, or the account lives in the region "${abroad.region}", which cannot be reached now. ${rest}`,
  });
  const wasCounted = refusal.problem === 'invalid_credentials';
  // A refusal by count stands, whatever home says. A success at home stands above it: home knows the owner's devices.
  if (isHere || isProblem(answer)) return wasCounted && isProblem(answer) ? answer : refusal;
  if (wasCounted) await auth.throttle.succeededElsewhere({ at: 'password', of: name, address, known: 'stranger' });
  return takeOver(auth, ctx, abroad, before, answer);
}

const passwordVerdicts: ReadonlySet<ErrorCode> = new Set(['invalid_credentials', 'too_many_attempts']);
const factorVerdicts: ReadonlySet<ErrorCode> = new Set([
  'invalid_second_factor',
  'too_many_attempts',
  'challenge_expired',
  'session_ended',
  'invalid_request',
]);

const rest = 'Accounts of this region sign in as ever, and everybody may look around and fill a cart.';
const separator = '.';

/** @returns undefined for a challenge of this region */
export async function secondFactorAbroad(
  auth: Auth,
  ctx: RequestContext,
  abroad: Abroad,
  request: LoginSecondFactorRequest,
): Promise<Issued | Problem | undefined> {
  const mark = `${abroad.region}${separator}`;
  if (!request.challenge.startsWith(mark)) return undefined;
  const before = await sessionBefore(auth, request.currentToken);
  const asked = { ...withTokenOf(abroad, before, request), challenge: request.challenge.slice(mark.length) };
  const answer = await askAbroad(forward(ctx), (call) => abroad.client.loginSecondFactorAtHome(call, asked), {
    verdicts: factorVerdicts,
    detail: `Your account lives in the region "${abroad.region}", which cannot be reached now. Try again soon to finish signing in.`,
  });
  return isProblem(answer) ? answer : takeOver(auth, ctx, abroad, before, answer);
}

/**
 * A sign-in by a passkey that no account here has. The challenge was made here and is spent. Home believes that it was a new one, as it believes the
 * password that this region carries there. A credential's id cannot be guessed, so the longer way of an unknown one tells nothing.
 */
export async function passkeyAbroad(
  auth: Auth,
  ctx: RequestContext,
  abroad: Abroad,
  {
    request,
    before,
    answer: { webauthn, attempt },
  }: { readonly request: LoginWithPasskeyRequest; readonly before: Before; readonly answer: PasskeyAnswer },
): Promise<Issued | Problem> {
  const asked = { login: { ...withTokenOf(abroad, before, request), challenge: '' }, webauthn };
  const answer = await askAbroad(forward(ctx), (call) => abroad.client.loginWithPasskeyAtHome(call, asked), {
    verdicts: factorVerdicts,
    detail: `This passkey is of no account here. If your account lives in the region "${abroad.region}", that cannot be reached now. ${rest}`,
  });
  if (isProblem(answer)) return answer;
  await attempt.succeeded();
  return takeOver(auth, ctx, abroad, before, answer);
}

/** A session's token goes to its home alone. A session that does not live here may have the former name of its region. */
const withTokenOf = <Request extends { readonly currentToken: string }>(
  { region }: Abroad,
  { abroad }: Before,
  request: Request,
): Request => ({
  ...request,
  currentToken: abroad !== undefined || request.currentToken.split(separator)[1] === region ? request.currentToken : '',
});

/**
 * Home has opened the session. The browser's old session lives here, so it ends here, and a guest's cart is claimed for the person.
 * After a crash in between, the person signs in again.
 */
async function takeOver(auth: Auth, cause: Cause, abroad: Abroad, before: Before, issued: SessionIssued): Promise<Issued | Problem> {
  const { session, secondFactor } = issued;
  if (secondFactor !== undefined)
    return { secondFactor: { ...secondFactor, challenge: `${abroad.region}${separator}${secondFactor.challenge}` } };
  // An auth speaks for sessions of its own region alone.
  if (session === undefined || session.region !== abroad.region || !isUserSubject(session.subject)) return problem('identity_unavailable');
  // Home itself has claimed the cart of a guest of its own.
  const { abroad: _ofHome, ...here } = before;
  const claimed = await auth.outbox.commit((trx) => claimGuestCart(auth, trx, cause, here, session.subject, auth.clock.nowMs()));
  const { live } = here;
  if (live !== undefined) await endSession(auth, cause, live, live.state === 'guest' ? (trx) => closeClaim(trx, live.subject) : undefined);
  const claimedGuestCart = session.claimedGuestCart === '' ? claimed : session.claimedGuestCart;
  return { ...issued, session: { ...session, claimedGuestCart }, currentTokenOwn: before.own };
}
