/** What the person may know of a session, and the names of token modes on the wire. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { problem, type Problem, SessionState, type SessionViewSchema, TokenMode as WireMode } from '@cloakroom/contracts';
import type { SessionRecord, TokenMode } from '@cloakroom/session';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';

export const wireModes: Readonly<Record<TokenMode, WireMode>> = {
  reference: WireMode.REFERENCE,
  hybrid: WireMode.HYBRID,
  jwt: WireMode.JWT,
  'jwt-denylist': WireMode.JWT_DENYLIST,
};

/** The mode that a sign-in gets: what it asks for, when the operator allows it. */
export function modeFor(auth: Auth, asked: WireMode): TokenMode | Problem {
  if (asked === WireMode.UNSPECIFIED) return auth.defaultMode;
  return auth.allowedModes.find((mode) => wireModes[mode] === asked) ?? problem('invalid_request', 'mode: is not allowed here');
}

/** A guest has nothing worth a signature, and his cart is claimed by his token: always opaque. */
export const guestMode = (auth: Auth): TokenMode =>
  auth.defaultMode === 'jwt' || auth.defaultMode === 'jwt-denylist' ? 'hybrid' : auth.defaultMode;

/** @param account of a user; undefined for a guest */
export function viewOf(session: SessionRecord, account: Account | undefined): MessageInitShape<typeof SessionViewSchema> {
  return {
    handle: session.handle,
    state: session.state === 'user' ? SessionState.USER : SessionState.GUEST,
    mode: wireModes[session.mode],
    subject: session.subject,
    name: account?.name ?? '',
    email: account?.email ?? '',
    createdAtMs: BigInt(session.createdAtMs),
    authenticatedAtMs: BigInt(session.authenticatedAtMs),
    idleExpiresAtMs: BigInt(session.idleExpiresAtMs),
    expiresAtMs: BigInt(session.expiresAtMs),
    claimedGuestCart: session.claimedGuestCart,
    region: session.region,
    role: account?.role ?? '',
  };
}
