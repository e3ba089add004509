/** Finds the shop that an operator's command is for, by the state that each run writes. */
import { join } from 'node:path';
import { developer } from '@cloakroom/contracts';
import { isLocalProvider } from '@cloakroom/platform';
import { developerSecret, readTls, type MeshTls } from '@cloakroom/mesh';
import { dataRoot } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { readMeshSecret } from '../launch/secrets.ts';
import { portsOf } from '../stack/stack.ts';
import { isAlive, readStates } from '../supervisor/state.ts';
import type { StackState } from '../supervisor/state.ts';

export interface RunningShop {
  readonly state: StackState;
  readonly authAddress: string;
  readonly dataDir: string;
  /** The folder of its certificates; undefined in embedded, where there are none. */
  readonly tlsDir: string | undefined;
  /** Proves to auth that an operator asks: a certificate, or in embedded the secret of this start. */
  operator(): Promise<Proof>;
  /** Whether its services admit the caller `developer`. */
  readonly developers: boolean;
  /** Proves to a service that the caller `developer` asks. */
  developer(): Promise<Proof>;
}

export interface Proof {
  readonly tls: MeshTls | undefined;
  readonly secret: string | undefined;
}

/** @param base of the shop that is meant; may be left out where one runs. @throws StackError */
export function runningShop(base: number | undefined): RunningShop {
  const running = readStates(dataRoot).filter((state) => isAlive(state.supervisor) && (base === undefined || state.base === base));
  const [state] = running;
  if (state === undefined) throw new StackError('no shop runs here', 'npm start starts one');
  if (running.length > 1)
    throw new StackError(
      `several shops run here, on the ports ${running.map((each) => each.base).join(', ')}`,
      'say which with --port-base',
    );
  // A run's data folder holds its logs.
  const dataDir = join(state.processes[0]!.logFile, '..', '..');
  const tlsDir = state.provider === 'embedded' ? undefined : join(dataDir, 'tls');
  return {
    state,
    dataDir,
    authAddress: `localhost:${portsOf(state.base).auth.mesh}`,
    tlsDir,
    operator: async () =>
      tlsDir === undefined
        ? { tls: undefined, secret: readMeshSecret(dataDir) }
        : { tls: await readTls(tlsDir, 'operator'), secret: undefined },
    developers: isLocalProvider(state.provider),
    developer: async () => {
      if (tlsDir !== undefined) return { tls: await readTls(tlsDir, developer), secret: undefined };
      const secret = readMeshSecret(dataDir);
      return { tls: undefined, secret: secret && developerSecret(secret) };
    },
  };
}
