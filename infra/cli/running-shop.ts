/** Finds the shop that an operator's command is for, by the state that each run writes. */
import { join } from 'node:path';
import { developer } from '@cloakroom/contracts';
import { isLocalProvider } from '@cloakroom/platform';
import { developerSecret, readTls, type MeshTls } from '@cloakroom/mesh';
import { dataRoot } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { readMeshSecret } from '../launch/secrets.ts';
import { portsOf, regionNames, regionPortsOf, type RegionName } from '../stack/stack.ports.ts';
import { isAlive, readStates } from '../supervisor/state.ts';
import type { StackState } from '../supervisor/state.ts';

/** The ports of the processes that a command may ask. */
type Ports = Omit<ReturnType<typeof portsOf>, 'gateways' | 'observatory'>;

export interface RunningShop {
  readonly state: StackState;
  /** The region that is meant; undefined where the shop has one. */
  readonly region: RegionName | undefined;
  /** The ports of that region, where there are two. */
  readonly ports: Ports;
  /** A gateway of that region. */
  readonly gateway: string;
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

/** The shop that a person means, as the options say it. */
export interface WhichShop {
  /** May be left out where one runs. */
  readonly portBase?: number | undefined;
  /** `eu` by default, where there are two. */
  readonly region?: RegionName | undefined;
}

/** @param states of all runs on this machine. @throws StackError */
export function runningShop({ portBase: base, region: told }: WhichShop, states = readStates(dataRoot)): RunningShop {
  const running = states.filter((state) => isAlive(state.supervisor) && (base === undefined || state.base === base));
  const [state] = running;
  if (state === undefined) throw new StackError('no shop runs here', 'npm start starts one');
  if (running.length > 1)
    throw new StackError(
      `several shops run here, on the ports ${running.map((each) => each.base).join(', ')}`,
      'say which with --port-base',
    );
  const region = regionOf(state, told);
  const ports = region === undefined ? portsOf(state.base) : regionPortsOf(state.base, region);
  // A run's data folder holds its logs.
  const dataDir = join(state.processes[0]!.logFile, '..', '..');
  const tlsDir = state.provider === 'embedded' ? undefined : join(dataDir, 'tls');
  return {
    state,
    region,
    ports,
    gateway: state.gateways[region === undefined ? 0 : regionNames.indexOf(region)]!,
    dataDir,
    authAddress: `localhost:${ports.auth.mesh}`,
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

/** @throws StackError where a region is named and the shop has only one */
function regionOf({ profile, provider }: StackState, told: RegionName | undefined): RegionName | undefined {
  if (profile === 'regions') return told ?? regionNames[0];
  if (told !== undefined) throw oneRegion(provider);
  return undefined;
}

export const oneRegion = (provider: string): StackError =>
  new StackError(
    `--region: the shop that runs here has one region (${provider})`,
    'leave --region out, or: npm start -- --profile regions',
  );

/** For the words of a command: " in us", or nothing where there is one region. */
export const inRegion = ({ region }: Pick<RunningShop, 'region'>): string => (region === undefined ? '' : ` in ${region}`);
