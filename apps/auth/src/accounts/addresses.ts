/**
 * One e-mail address, one account, in both regions together. A hash of the address says which region decides it (deciderOf in libs/contracts). That
 * region is asked before an account is written. It only decides: where the account lives is home's alone.
 *
 * The decider needs no row for its own accounts, since its table of accounts says that an address is taken. For an address that it gave to the other
 * region it keeps a row with a turn. A row promises the address to a region and not to one sign-up: the unique column of that region decides between
 * its own. So a sign-up that broke after the row blocks nobody there. The next one at the same region is given the same row.
 *
 * - The decider wants such an address itself. It asks the other region to give it up, which that region does unless it has the account. That region
 *   then remembers the turn, and no sign-up that was given this turn, or an earlier one, can still write an account (a fence). In a cut it cannot be
 *   asked, and the address stays where it is.
 * - The other region wants an address that it once gave up. It says up to which turn, and is given a later one.
 *
 * Every step is in a transaction of the outbox, and these run one at a time (outbox.ts). Answers that are lost or late change nothing. A row without
 * an account is given again or given up, and a fence only stops sign-ups that somebody else was free to overtake.
 */
import { deciderOf, type ErrorCode, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { OutgoingCall } from '@cloakroom/mesh';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import { addressHash } from '../database/migrations.homes.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { type Abroad, askAbroad } from './abroad.ts';
import type { Account } from './accounts.ts';

type Trx = Transaction<AuthSchema>;

/** The promise of a decider. */
export interface Promised {
  /** Runs in the transaction that writes the account. @returns false when the address went to the other region meanwhile */
  keep(trx: Trx): Promise<boolean>;
}

/** A refusal, and whether it tells something about the address. Such an answer must cost an attempt, or people could count accounts. */
export interface Refused {
  readonly refusal: Problem;
  readonly tells: boolean;
}

/** A decider commits one small transaction. The rest of a sign-up's 5 s is for its own hash and session. */
const decisionBudgetMs = 2_500;

/** Columns that go with an address whose decider was asked. None in a shop of one region, which asks nobody: a decider hears of them later. */
export const toldColumns = ({ region, abroad }: Auth, email: string): Partial<Pick<Account, 'home' | 'told_email'>> =>
  abroad === undefined ? {} : { home: region, told_email: email };

export const decidesHere = ({ region, abroad }: Auth, email: string): boolean =>
  abroad === undefined || deciderOf(email, [region, abroad.region]) === region;

/**
 * The refusal is `email_taken`, or `home_region_unreachable` where it cannot be known.
 * @param hasAccount an account here has the address already, and the decider only has to hear of it
 */
export async function promiseAddress(auth: Auth, call: OutgoingCall, email: string, hasAccount = false): Promise<Promised | Refused> {
  const { abroad } = auth;
  if (abroad === undefined) return { keep: () => Promise.resolve(true) };
  return decidesHere(auth, email) ? takeBack(auth, abroad, call, email) : claimAbroad(auth, abroad, call, email, hasAccount);
}

/** At the decider. An address that the other region was given is asked back first. */
async function takeBack(auth: Auth, abroad: Abroad, call: OutgoingCall, email: string): Promise<Promised | Refused> {
  const given = await givenTurn(auth.database, email);
  if (given !== undefined) {
    const asked = { email, turn: BigInt(given) };
    const answer = await askAbroad(call, (sent) => abroad.client.giveUpAddress(sent, asked), undecided(abroad));
    // A silence tells that the other side was given the address, since a free one is not asked about.
    if (isProblem(answer)) return { refusal: answer, tells: true };
    if (answer.held) return taken;
  }
  return {
    async keep(trx) {
      const now = await givenTurn(trx, email);
      // Given, or given again, while the other region was asked.
      if (now !== undefined && now !== given) return false;
      await trx.deleteFrom('given_addresses').where('email_sha256', '=', addressHash(email)).execute();
      return true;
    },
  };
}

/** At a region that does not decide. */
async function claimAbroad(
  auth: Auth,
  abroad: Abroad,
  call: OutgoingCall,
  email: string,
  hasAccount: boolean,
): Promise<Promised | Refused> {
  const asked = { email, givenUpTurn: BigInt(await givenUpTurn(auth.database, email)), hasAccount };
  const answer = await askAbroad(call, (sent) => abroad.client.claimAddress(sent, asked), undecided(abroad));
  // A silence is the same for every address that is decided there.
  if (isProblem(answer)) return { refusal: answer, tells: false };
  if (answer.taken) return taken;
  return { keep: async (trx) => (await givenUpTurn(trx, email)) < Number(answer.turn) };
}

/** The turn of the promise that this region, which decides, has made to the other. */
export async function givenTurn(from: Auth['database'] | Trx, email: string): Promise<number | undefined> {
  const row = await from.selectFrom('given_addresses').select('turn').where('email_sha256', '=', addressHash(email)).executeTakeFirst();
  return row === undefined ? undefined : Number(row.turn);
}

/** The last turn that this region, which does not decide, has given up. 0 for none. */
export async function givenUpTurn(from: Auth['database'] | Trx, email: string): Promise<number> {
  const row = await from.selectFrom('given_up_addresses').select('turn').where('email_sha256', '=', addressHash(email)).executeTakeFirst();
  return Number(row?.turn ?? 0);
}

const taken: Refused = { refusal: problem('email_taken'), tells: true };
/** The decider has no refusal that a person could act on. */
const noVerdicts: ReadonlySet<ErrorCode> = new Set();

const undecided = ({ region }: Abroad) => ({
  verdicts: noVerdicts,
  budgetMs: decisionBudgetMs,
  detail:
    `The region "${region}" must say whether this e-mail address is free, and it cannot be reached now. Nothing was changed. ` +
    'Try again later, or take another address. Your cart stays, and accounts of this region sign in as ever.',
});
