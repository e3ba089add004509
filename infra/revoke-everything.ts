/**
 * `npm run revoke-everything`: ends every session there is by one number, with the operator's certificate, when no administrator can or should
 * sign in. What it costs and how soon it holds everywhere: `npm run drill -- revoke-everything`.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AccountService, isProblem } from '@cloakroom/contracts';
import { connectMesh, continueTrace, createLogger, readTls } from '@cloakroom/platform';
import { randomBytes } from 'node:crypto';
import { dataRoot } from './folders.ts';
import { StackError } from './outcome.ts';
import { portsOf } from './stack.ts';
import { isAlive, readStates } from './state.ts';
import type { StackState } from './state.ts';

/** auth answers within 2 s or not at all. */
const budgetMs = 2_000;

/** @param base of the shop that is meant; may be left out where one runs. @returns the exit code */
export async function revokeEverything(base: number | undefined, print: (line: string) => void): Promise<number> {
  const running = readStates(dataRoot).filter((state) => isAlive(state.supervisor) && (base === undefined || state.base === base));
  if (running.length !== 1) {
    const bases = running.map((state) => state.base).join(', ');
    throw new StackError(
      running.length === 0 ? 'no shop runs here' : `several shops run here, on the ports ${bases}`,
      running.length === 0 ? 'npm start starts one' : 'say which with --port-base',
    );
  }
  const startedMs = performance.now();
  const epoch = await asOperator(running[0]!);
  print(
    `Every session made before epoch ${epoch} has ended, ${Math.round(performance.now() - startedMs)} ms after asking. Everybody signs in again.`,
  );
  return 0;
}

/** @returns the global epoch, which a session must have been born under */
async function asOperator(state: StackState): Promise<bigint> {
  const tls = state.provider === 'embedded' ? undefined : await readTls(join(tlsFolder(state), 'tls'), 'operator');
  const address = `localhost:${portsOf(state.base).auth.mesh}`;
  const { client, close } = connectMesh(AccountService, { address, tls, log: createLogger('operator', 'silent') });
  try {
    const answer = await client.revokeEverythingByOperator({ budgetMs, trace: continueTrace(undefined, randomBytes) }, {});
    if (isProblem(answer)) throw new StackError(`auth refused: ${answer.problem}`, 'see its log with npm start -- --logs');
    return answer.globalEpoch;
  } finally {
    close();
  }
}

/** The data folder of a run is where its logs are. */
const tlsFolder = ({ processes }: StackState): string => join(processes[0]!.logFile, '..', '..');
