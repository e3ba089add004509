import type { MessageInitShape } from '@bufbuild/protobuf';
import { type BeginTotpResponseSchema, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { newTotpSecret, totpUri } from './totp.ts';

/** Makes a secret that counts only after auth has seen a code of it. Beginning again makes another secret. An active secret is never overwritten. */
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
