import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type ListFactorsResponseSchema, type PasskeySchema, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { ownSessions } from '../sessions/list-devices.ts';
import { type Passkey, passkeysOf } from './passkeys.ts';
import { recoveryCodesLeft } from './recovery-codes.ts';
import { activeTotp } from './totp.ts';

export async function listFactors(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof ListFactorsResponseSchema> | Problem> {
  const sessions = await ownSessions(auth, ctx);
  if (isProblem(sessions)) return sessions;
  const { subject } = ctx.identity;
  return {
    totpActive: (await activeTotp(auth.database, subject)) !== undefined,
    recoveryCodesLeft: await recoveryCodesLeft(auth.database, subject),
    passkeys: (await passkeysOf(auth.database, subject)).map(passkeyView),
  };
}

export const passkeyView = (passkey: Passkey): MessageInitShape<typeof PasskeySchema> => ({
  passkeyId: passkey.passkey_id,
  name: passkey.name,
  createdAtMs: BigInt(passkey.created_at_ms),
  lastUsedAtMs: BigInt(passkey.last_used_at_ms),
});
