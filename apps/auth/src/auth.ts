/** The parts that a use case of auth may use, handed over explicitly. */
import type { AccessTokenVerifier } from '@cloakroom/identity';
import type { Clock, Logger } from '@cloakroom/platform';
import type { MacKeys, SessionStore, TokenMode } from '@cloakroom/session';
import type { Database, Outbox } from './database/outbox.ts';
import type { RelyingParty } from './factors/relying-party.ts';
import type { Passwords } from './accounts/passwords.ts';
import type { Abroad } from './accounts/abroad.ts';
import type { Sealer } from './tokens/sealed.ts';
import type { SigningKeys } from './tokens/signing-keys.ts';
import type { Throttle } from './throttle/throttle.ts';

export interface Auth {
  readonly region: string;
  /** The auth of the other region. Undefined in a shop of one region. */
  readonly abroad?: Abroad | undefined;
  /** The mode of a sign-in that asks for none. */
  readonly defaultMode: TokenMode;
  /** The modes that a sign-in may ask for. The operator limits them, since a thief must not choose a mode that outlives revocation. */
  readonly allowedModes: readonly TokenMode[];
  readonly macKeys: MacKeys;
  /** Seals refresh tokens; only auth has these keys. */
  readonly refreshKeys: MacKeys;
  readonly accessTokens: AccessTokenVerifier;
  readonly accessTokenLifetimeMs: number;
  readonly database: Database;
  readonly outbox: Outbox;
  readonly store: SessionStore;
  readonly keys: SigningKeys;
  /** Seals secrets of factors, which the database keeps and auth must read again. */
  readonly sealer: Sealer;
  /** The site that passkeys are made for. */
  readonly relyingParty: RelyingParty;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes of a CSPRNG. */
  readonly random: (byteCount: number) => Uint8Array;
  readonly sleep: (durationMs: number) => Promise<void>;
}
