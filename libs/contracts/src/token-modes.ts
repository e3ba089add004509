/**
 * How the token of a session is checked. Configuration, the HTTP API and the store write the mode by
 * name; the mesh sends the number of the enum.
 */
import { TokenMode } from './gen/cloakroom/auth/v1/auth_pb.ts';

export const tokenModeNames = ['reference', 'hybrid', 'jwt', 'jwt-denylist'] as const;
export type TokenModeName = (typeof tokenModeNames)[number];

/** The browser carries the session itself, as a signed token. */
export const selfContainedModes = ['jwt', 'jwt-denylist'] as const satisfies readonly TokenModeName[];
export type SelfContainedMode = (typeof selfContainedModes)[number];
export const isSelfContained = (mode: TokenModeName): mode is SelfContainedMode => mode === 'jwt' || mode === 'jwt-denylist';

export const tokenModeOf: Readonly<Record<TokenModeName, TokenMode>> = {
  reference: TokenMode.REFERENCE,
  hybrid: TokenMode.HYBRID,
  jwt: TokenMode.JWT,
  'jwt-denylist': TokenMode.JWT_DENYLIST,
};

/** Undefined for TokenMode.UNSPECIFIED, and for a mode that only a later version knows. */
export const tokenModeNameOf: Readonly<Partial<Record<TokenMode, TokenModeName>>> = Object.fromEntries(
  tokenModeNames.map((name) => [tokenModeOf[name], name]),
);
