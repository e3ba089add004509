/**
 * Makes the tokens that a browser gets for a session. Most modes use one opaque token. The modes jwt and jwt-denylist use a signed access token
 * (libs/identity access-token.ts) and a counted refresh token (libs/session token.ts).
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isSelfContained, type SessionIssuedSchema } from '@cloakroom/contracts';
import {
  accessTokenAudience,
  accessTokenClient,
  accessTokenIssuer,
  type AccessTokenVerifier,
  createAccessTokenVerifier,
  signAccessToken,
} from '@cloakroom/identity';
import { type Clock } from '@cloakroom/platform';
import { makeRefreshToken, type SessionRecord, statedAtMs } from '@cloakroom/session';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { newUuid } from '../database/ids.ts';
import { proofOf } from './passports.ts';
import { viewOf } from '../sessions/session-view.ts';
import type { SigningKeys } from './signing-keys.ts';

export type Issued = MessageInitShape<typeof SessionIssuedSchema>;

/**
 * @param token the opaque token, where there is one
 * @param askedMs taken before the session was read or changed, so any revocation since then is later than the token
 */
export function issueTokens(auth: Auth, session: SessionRecord, account: Account | undefined, token: string, askedMs: number): Issued {
  const view = viewOf(auth, session, account);
  const { mode } = session;
  if (!isSelfContained(mode) || account === undefined) return { token, session: view };
  const iatMs = statedAtMs(session, askedMs);
  const accessExpiresAtMs = Math.min(iatMs + auth.accessTokenLifetimeMs, session.idleExpiresAtMs, session.expiresAtMs);
  const accessToken = signAccessToken(
    {
      iss: accessTokenIssuer,
      aud: accessTokenAudience,
      client_id: accessTokenClient,
      jti: newUuid(auth),
      sub: session.subject,
      sid: session.handle,
      gen: session.generation,
      epoch: session.epoch,
      gepoch: session.globalEpoch,
      state: 'user',
      mode,
      ...proofOf(session),
      region: auth.region,
      iat: iatMs / 1000,
      exp: accessExpiresAtMs / 1000,
      name: account.name,
      email: account.email,
      ...(view.role !== undefined && view.role !== '' && { role: view.role }),
      created: session.createdAtMs / 1000,
      idle_exp: session.idleExpiresAtMs / 1000,
      abs_exp: session.expiresAtMs / 1000,
      cart: session.claimedGuestCart,
    },
    auth.keys.active(),
  );
  const refreshToken = makeRefreshToken({ ...session, region: auth.region }, auth.refreshKeys);
  return { token: '', accessToken, refreshToken, accessExpiresAtMs: BigInt(accessExpiresAtMs), session: view };
}

/** Verifies access tokens that come back. It looks in the database for a key that another replica has just made. */
export const openAccessTokens = (keys: SigningKeys, clock: Clock): AccessTokenVerifier =>
  createAccessTokenVerifier({ keys: { find: (kid) => keys.find(kid), refresh: () => keys.reload(), retire: () => undefined }, clock });
