import type { TokenMode } from '@cloakroom/session';
import type { Account } from '../accounts/accounts.ts';
import type { Before } from './claim.ts';
import type { Amr } from '../tokens/proof.ts';

/** A sign-in whose password is proved and whose claim is committed: the input of steps 2 to 4 of the saga (login.ts). */
export interface SignIn {
  readonly account: Account;
  readonly before: Before;
  readonly claimedGuestCart: string;
  /** The user's epoch when the password was read. */
  readonly epoch: number;
  /** The proven factors; left out for a password alone. */
  readonly amr?: Amr;
  readonly mode: TokenMode;
  readonly device: string;
  /** The value of the browser's known-device cookie; may be empty or forged. */
  readonly knownDevice: string;
  /** Set when the account has just been made. */
  readonly isNew?: true;
}
