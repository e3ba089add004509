/** `npm run keys -- rotate [--emergency]`: auth signs with a new key. In an emergency every service refuses the old keys at once. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { AuthService, isProblem } from '@cloakroom/contracts';
import { connectMesh } from '@cloakroom/mesh';
import { continueTrace, createLogger } from '@cloakroom/platform';
import { StackError } from '../stack/outcome.ts';
import { runningShop } from './running-shop.ts';

/** auth answers within 2 s or not at all. */
const budgetMs = 2_000;

/** @param base of the shop that is meant; may be left out where one runs. @returns the exit code */
export async function rotateKeys(
  options: { readonly emergency: boolean; readonly base: number | undefined },
  print: (line: string) => void,
): Promise<number> {
  const shop = runningShop(options.base);
  const { client, close } = connectMesh(AuthService, {
    address: shop.authAddress,
    ...(await shop.operator()),
    log: createLogger('operator', 'silent'),
  });
  try {
    const startedMs = performance.now();
    const answer = await client.rotateKeys({ budgetMs, trace: continueTrace(undefined, randomBytes) }, { retireOldNow: options.emergency });
    if (isProblem(answer))
      throw new StackError(`auth refused: ${answer.problem} ${answer.detail ?? ''}`.trim(), 'see its log with npm start -- --logs');
    print(`auth signs with the key ${answer.activeKid} (${Math.round(performance.now() - startedMs)} ms).`);
    if (options.emergency) {
      for (const kid of answer.retiredKids) print(`retired: ${kid}`);
      print('What these keys signed is refused everywhere within 2.5 s. Sessions live on: passports and access tokens are made anew.');
    } else print('What older keys signed stays good. Nothing else is to be done; if a key has leaked, add --emergency.');
    return 0;
  } finally {
    close();
  }
}
