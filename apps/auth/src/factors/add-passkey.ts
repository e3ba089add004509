import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type AddPasskeyRequest,
  type AddPasskeyResponseSchema,
  isProblem,
  nameLengthMax,
  problem,
  type Problem,
} from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { nameSchema } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { takeChallenge } from './challenges.ts';
import { newUuid } from '../database/ids.ts';
import { passkeyView } from './list-factors.ts';
import { recordNotice } from '../accounts/notices.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { type Passkey, passkeyCountMax, passkeysOf, verifyCreation } from './passkeys.ts';
import { recoveryCodesLeft, replaceRecoveryCodes } from './recovery-codes.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';

/** Adds a passkey to the account that asked for its options. The first second factor of an account brings recovery codes. */
export async function addPasskey(
  auth: Auth,
  ctx: PersonContext,
  request: AddPasskeyRequest,
): Promise<MessageInitShape<typeof AddPasskeyResponseSchema> | Problem> {
  const name = nameSchema.safeParse(request.name);
  if (!name.success) return problem('invalid_request', `name: must have 1 to ${nameLengthMax} characters`);
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const subject = own.account.id;
  const challenge = await takeChallenge(auth, 'passkey_creation', request.challenge);
  if (challenge === undefined || challenge.subject !== subject) return problem('challenge_expired');
  const made = await verifyCreation(auth, request.response, challenge.webauthn);
  if (made === undefined) return problem('invalid_second_factor');
  const nowMs = auth.clock.nowMs();
  const passkey: Passkey = {
    ...made,
    passkey_id: newUuid(auth),
    subject,
    name: name.data,
    created_at_ms: nowMs,
    last_used_at_ms: 0,
  };
  const added = await auth.outbox.commit(async (trx) => {
    if ((await passkeysOf(trx, subject)).length >= passkeyCountMax)
      return problem('limit_exceeded', `At most ${passkeyCountMax} passkeys.`);
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('passkeys')
      .values(passkey)
      .onConflict((conflict) => conflict.column('credential_id').doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) return problem('factor_exists');
    await raiseProofVersion(trx, subject);
    await recordNotice(trx, subject, 'factor_added', nowMs);
    return { codes: (await recoveryCodesLeft(trx, subject)) > 0 ? [] : await replaceRecoveryCodes(auth, trx, subject) };
  });
  if (isProblem(added)) return added;
  return { passkey: passkeyView(passkey), recoveryCodes: added.codes, otherSessions: own.otherSessions };
}
