/** The part of a session that the person may see. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  isSelfContained,
  observed,
  problem,
  type Problem,
  SessionState,
  type SessionViewSchema,
  TokenMode,
  type TokenModeName,
  tokenModeOf,
} from '@cloakroom/contracts';
import { observeRunning, observing } from '@cloakroom/platform';
import type { SessionRecord } from '@cloakroom/session';
import type { Auth } from '../auth.ts';

/** The mode that a sign-in gets: the one it asks for, if the operator allows it. */
export function modeFor(auth: Auth, asked: TokenMode): TokenModeName | Problem {
  if (asked === TokenMode.UNSPECIFIED) return auth.defaultMode;
  return auth.allowedModes.find((mode) => tokenModeOf[mode] === asked) ?? problem('invalid_request', 'mode: is not allowed here');
}

/** Always opaque: a guest has nothing worth a signature, and a guest cart is claimed by its token. */
export const guestMode = (auth: Auth): TokenModeName => (isSelfContained(auth.defaultMode) ? 'hybrid' : auth.defaultMode);

/**
 * Its region is the one that this auth has now. A session that began before the region got its name says another one.
 * @param account the user's account; undefined for a guest
 */
export function viewOf(
  { region }: Pick<Auth, 'region'>,
  session: SessionRecord,
  account: { readonly name: string; readonly email: string; readonly role: string } | undefined,
): MessageInitShape<typeof SessionViewSchema> {
  const { subject, handle, mode, tag } = session;
  if (observing())
    observeRunning(() => ({ [observed.subject]: subject, [observed.session]: handle, [observed.mode]: mode, [observed.sessionTag]: tag }));
  return {
    handle: session.handle,
    state: session.state === 'user' ? SessionState.USER : SessionState.GUEST,
    mode: tokenModeOf[session.mode],
    subject: session.subject,
    name: account?.name ?? '',
    email: account?.email ?? '',
    createdAtMs: BigInt(session.createdAtMs),
    authenticatedAtMs: BigInt(session.authenticatedAtMs),
    idleExpiresAtMs: BigInt(session.idleExpiresAtMs),
    expiresAtMs: BigInt(session.expiresAtMs),
    claimedGuestCart: session.claimedGuestCart,
    region,
    role: account?.role ?? '',
  };
}
