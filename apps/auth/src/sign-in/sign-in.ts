import type { TokenMode } from '@cloakroom/session';
import type { Account } from '../accounts/accounts.ts';
import type { Before } from './claim.ts';
import type { Amr } from '../tokens/proof.ts';

/** A sign-in whose password is proved and whose claim is committed: what steps 2 to 4 of the saga (login.ts) need. */
export interface SignIn {
  readonly account: Account;
  readonly before: Before;
  readonly claimedGuestCart: string;
  /** The user's epoch when the password was read. */
  readonly epoch: number;
  /** What was proved: left out for the password alone. */
  readonly amr?: Amr;
  readonly mode: TokenMode;
  readonly device: string;
  /** What the browser's cookie of known devices says; may be empty or false. */
  readonly knownDevice: string;
  /** With an account that has just been made. */
  readonly isNew?: true;
}
