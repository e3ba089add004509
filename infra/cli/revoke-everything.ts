/**
 * `npm run revoke-everything`: ends every session by raising one number, with the operator's certificate. It serves when no administrator can or
 * should sign in. `npm run drill -- revoke-everything` shows its cost, and how soon it holds everywhere.
 */
import { performance } from 'node:perf_hooks';
import { AccountService, isProblem } from '@cloakroom/contracts';
import { connectMesh } from '@cloakroom/mesh';
import { continueTrace, createLogger } from '@cloakroom/platform';
import { randomBytes } from 'node:crypto';
import { StackError } from '../stack/outcome.ts';
import { inRegion, runningShop, type RunningShop, type WhichShop } from './running-shop.ts';

/** auth answers within 2 s or not at all. */
const budgetMs = 2_000;

/** @returns the exit code */
export async function revokeEverything(which: WhichShop, print: (line: string) => void): Promise<number> {
  const shop = runningShop(which);
  const startedMs = performance.now();
  const epoch = await asOperator(shop);
  print(
    `Every session made${inRegion(shop)} before epoch ${epoch} has ended, ${Math.round(performance.now() - startedMs)} ms after asking. Everybody signs in again.`,
  );
  return 0;
}

/** @returns the global epoch, which a session must have been born under */
async function asOperator(shop: RunningShop): Promise<bigint> {
  const { client, close } = connectMesh(AccountService, {
    address: shop.authAddress,
    ...(await shop.operator()),
    log: createLogger('operator', 'silent'),
  });
  try {
    const answer = await client.revokeEverythingByOperator({ budgetMs, trace: continueTrace(undefined, randomBytes) }, {});
    if (isProblem(answer)) throw new StackError(`auth refused: ${answer.problem}`, 'see its log with npm start -- --logs');
    return answer.globalEpoch;
  } finally {
    close();
  }
}
