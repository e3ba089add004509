import type { MessageInitShape } from '@bufbuild/protobuf';
import { type BeginTotpResponseSchema, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { newTotpSecret, totpUri } from './totp.ts';

/** A secret that counts only once a code of it was seen. Beginning again makes another; one that is active is never overwritten. */
export async function beginTotp(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof BeginTotpResponseSchema> | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const { id: subject, email } = own.account;
  const { base32, sealed } = newTotpSecret(auth, subject);
  const pending = { secret: sealed, last_step: 0, created_at_ms: auth.clock.nowMs() };
  const { numInsertedOrUpdatedRows } = await auth.database
    .insertInto('totp')
    .values({ subject, active: 0, ...pending })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet(pending).where('totp.active', '=', 0))
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n ? { secret: base32, uri: totpUri(base32, email) } : problem('factor_exists');
}
