/**
 * Creates an account and signs in with it, by the same saga as login.ts. One transaction writes the account, its announcement and the claim. With two
 * regions the one that decides the address is asked first (accounts/addresses.ts).
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type RegisterRequest, type SessionIssuedSchema } from '@cloakroom/contracts';
import { forward, type RequestContext } from '@cloakroom/mesh';
import { z } from 'zod';
import {
  type Account,
  accountByEmail,
  emailSchema,
  insertAccount,
  nameSchema,
  newAccount,
  passwordSchema,
  violations,
} from '../accounts/accounts.ts';
import { promiseAddress, toldColumns } from '../accounts/addresses.ts';
import type { Auth } from '../auth.ts';
import { claimGuestCart, sessionBefore } from './claim.ts';
import { newEventId, newUuid } from '../database/ids.ts';
import { finishSignIn } from './login.ts';
import { announceIdentity } from '../database/outbox.ts';
import { modeFor } from '../sessions/session-view.ts';
import { weakPassword } from '../accounts/weak-passwords.ts';

const registration = z.object({ email: emailSchema, password: passwordSchema, name: nameSchema });

export async function register(
  auth: Auth,
  ctx: RequestContext,
  request: RegisterRequest,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const given = registration.safeParse(request);
  if (!given.success) return problem('invalid_request', violations(given.error));
  const mode = modeFor(auth, request.mode);
  if (isProblem(mode)) return mode;
  const { email, password, name } = given.data;
  const weak = weakPassword(password, { email, name });
  if (weak !== undefined) return weak;
  // People who ask for taken e-mails can count accounts, so each request costs an attempt, like a wrong password.
  const attempt = await auth.throttle.begin({ at: 'taken-email', of: email, address: request.remoteAddress, known: 'stranger' });
  if (isProblem(attempt)) return attempt;
  if ((await accountByEmail(auth.database, email)) !== undefined) return problem('email_taken');
  const counted = await auth.throttle.registration(request.remoteAddress);
  if (isProblem(counted)) {
    await attempt.succeeded();
    return counted;
  }
  const promised = await promiseAddress(auth, forward(ctx), email);
  if ('refusal' in promised) {
    if (!promised.tells) await Promise.all([attempt.succeeded(), counted.giveBack()]);
    return promised.refusal;
  }
  const before = await sessionBefore(auth, request.currentToken);
  const passwordHash = await auth.passwords.hash(password);
  await attempt.succeeded();
  if (isProblem(passwordHash)) return passwordHash;
  const nowMs = auth.clock.nowMs();
  const made = { id: `u_${newUuid(auth)}`, email, name, password_hash: passwordHash, created_at_ms: nowMs };
  const account: Account = { ...newAccount, ...made, ...toldColumns(auth, email) };
  const claimedGuestCart = await auth.outbox.commit(async (trx) => {
    if (!((await promised.keep(trx)) && (await insertAccount(trx, account)))) return undefined;
    await announceIdentity(trx, ctx, account.id, {
      eventId: newEventId(auth, nowMs),
      atMs: BigInt(nowMs),
      event: { case: 'accountRegistered', value: { userId: account.id, name, email } },
    });
    return claimGuestCart(auth, trx, ctx, before, account.id, nowMs);
  });
  if (claimedGuestCart === undefined) return problem('email_taken');
  const { knownDevice } = request;
  const device = request.device?.label ?? '';
  return finishSignIn(auth, ctx, { account, before, claimedGuestCart, epoch: 0, mode, device, knownDevice, isNew: true });
}
