/**
 * `npm run keys -- rotate [--emergency] [--algorithm Ed25519|ES256]`: auth signs with new keys. In an emergency every service refuses the old keys at
 * once. `--algorithm` also switches what passports are signed by. An older build refuses passports by Ed25519, so the command first asks every process
 * whether it verifies them.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { AuthService, isProblem, PassportAlgorithm } from '@cloakroom/contracts';
import { connectMesh } from '@cloakroom/mesh';
import { continueTrace, createLogger } from '@cloakroom/platform';
import { StackError } from '../stack/outcome.ts';
import { meshNames, serviceOf } from '../stack/stack.spec.ts';
import type { ProcessEntry } from '../supervisor/state.ts';
import { inRegion, runningShop, type WhichShop } from './running-shop.ts';

/** auth answers within 2 s or not at all. */
const budgetMs = 2_000;
/** A process answers in milliseconds, unless it is starting or hangs: then it cannot say what it verifies. */
const answerWithinMs = 2_000;

const onTheWire = { ES256: PassportAlgorithm.ES256, Ed25519: PassportAlgorithm.ED25519 } as const;
export type Algorithm = keyof typeof onTheWire;

/** @returns the exit code */
export async function rotateKeys(
  { emergency, algorithm, ...which }: WhichShop & { readonly emergency: boolean; readonly algorithm: Algorithm | undefined },
  print: (line: string) => void,
): Promise<number> {
  const shop = runningShop(which);
  if (algorithm === 'Ed25519') await verifiedByAll(shop.state.processes, algorithm);
  const { client, close } = connectMesh(AuthService, {
    address: shop.authAddress,
    ...(await shop.operator()),
    log: createLogger('operator', 'silent'),
  });
  try {
    const startedMs = performance.now();
    const answer = await client.rotateKeys(
      { budgetMs, trace: continueTrace(undefined, randomBytes) },
      { retireOldNow: emergency, ...(algorithm && { passportAlgorithm: onTheWire[algorithm] }) },
    );
    if (isProblem(answer))
      throw new StackError(`auth refused: ${answer.problem} ${answer.detail ?? ''}`.trim(), 'see its log with npm start -- --logs');
    print(`auth${inRegion(shop)} signs with the key ${answer.activeKid} (${Math.round(performance.now() - startedMs)} ms).`);
    if (answer.passportAlgorithm === PassportAlgorithm.ED25519)
      print(`Passports are signed by Ed25519, with the key ${answer.passportKid}.`);
    if (emergency) {
      for (const kid of answer.retiredKids) print(`retired: ${kid}`);
      print('What these keys signed is refused everywhere within 2.5 s. Sessions live on: passports and access tokens are made anew.');
    } else print('What older keys signed stays good. Nothing else is to be done; if a key has leaked, add --emergency.');
    if (algorithm !== undefined && answer.passportAlgorithm !== onTheWire[algorithm])
      throw new StackError(
        `the keys are new, but auth did not switch to ${algorithm}: it is of an older build`,
        'update auth, then switch again',
      );
    return 0;
  } finally {
    close();
  }
}

/** @throws StackError naming the processes that do not say that they verify it: nothing has changed then */
export async function verifiedByAll(processes: readonly Pick<ProcessEntry, 'name' | 'health'>[], algorithm: Algorithm): Promise<void> {
  const wanted = `mesh_passport_algorithm_info{algorithm="${algorithm}"} 1`;
  const says = async (url: string): Promise<boolean> => {
    try {
      const answer = await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(answerWithinMs) });
      return (await answer.text()).includes(wanted);
    } catch {
      return false;
    }
  };
  const judged = await Promise.all(
    processes.map(async ({ name, health }) => ({
      name,
      verifies: health.kind !== 'http' || !readsPassports(name) || (await Promise.all(health.urls.map(says))).every(Boolean),
    })),
  );
  const without = judged.filter(({ verifies }) => !verifies).map(({ name }) => name);
  if (without.length > 0)
    throw new StackError(
      `nothing has changed: ${without.join(', ')} did not say that passports by ${algorithm} are verified there`,
      'bring every process to a build that knows it, then give the command again',
    );
}

/** In embedded one process is all services. */
const readsPassports = (name: string): boolean => name === 'cloakroom' || meshNames.some((each) => each === serviceOf(name));
