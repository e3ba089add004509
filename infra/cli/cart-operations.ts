/**
 * `npm run cart -- history|redrive|replay`: shows an operator the log of carts, and repairs it. The cart service's own programs do the work
 * (apps/cart/src/*.main.ts). This file finds the shop that is meant, its log and its view.
 */
import { join } from 'node:path';
import { dataRoot, repository } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { runningShop, type RunningShop, type WhichShop } from './running-shop.ts';
import { clusterPortsOf } from '../stack/stack.ports.ts';
import { acrossOcean } from '../stack/stack.regions.ts';
import type { StackState } from '../supervisor/state.ts';
import { runCommand } from './tools.ts';

export interface CartFlags extends WhichShop {
  readonly brokers?: string;
}

/** @returns the exit code of the command */
export function cartHistory(cartId: string, flags: CartFlags & { readonly json: boolean }): Promise<number> {
  const args = [cartId, ...(flags.json ? ['--json'] : [])];
  if (flags.brokers !== undefined) return run('history', [...args, '--brokers', flags.brokers], {});
  const shop = runningShop(flags);
  return run(
    'history',
    args,
    shop.state.provider === 'embedded'
      ? { EVENT_LOG_FILE: embeddedLogOf(shop.state) }
      : { ...placesOf(shop, ['KAFKA_BROKERS']), ...regionsOf(shop) },
  );
}

export function cartRedrive(flags: CartFlags & { readonly dryRun: boolean }): Promise<number> {
  return run('redrive', flags.dryRun ? ['--dry-run'] : [], storesOf(flags));
}

export function cartReplay(flags: CartFlags): Promise<number> {
  return run('replay', [], storesOf(flags));
}

type Place = 'KAFKA_BROKERS' | 'CART_REDIS_URL';
type Told = Readonly<Partial<Record<Place | 'EVENT_LOG_FILE' | 'REGION' | 'OTHER_REGIONS', string>>>;

function storesOf({ brokers, ...which }: CartFlags): Told {
  const shop = runningShop(which);
  if (shop.state.provider === 'embedded')
    throw new StackError(
      'the shop that runs here is embedded: its log and its view live inside its one process',
      'nothing is to be put back or replayed there: a restart reads its whole log anew',
    );
  const places = { ...placesOf(shop, ['KAFKA_BROKERS', 'CART_REDIS_URL']), ...regionsOf(shop) };
  return brokers === undefined ? places : { ...places, KAFKA_BROKERS: brokers };
}

/** Which copies stand beside the log of this region, as its cart service is told it. Nothing in a shop of one region. */
export function regionsOf({ state, region }: Pick<RunningShop, 'state' | 'region'>): Told {
  return region === undefined ? {} : { REGION: region, OTHER_REGIONS: acrossOcean(state.base, region, 'auth') };
}

/** The state of an external shop does not say where its stores are. The environment says it, as at its start. */
export function placesOf(
  { state: { provider, profile, base }, ports }: Pick<RunningShop, 'state' | 'ports'>,
  needed: readonly Place[],
): Partial<Record<Place, string>> {
  if (provider === 'external') {
    const missing = needed.filter((name) => process.env[name] === undefined);
    if (missing.length > 0)
      throw new StackError(`the shop that runs here is external: ${missing.join(' and ')} is not set`, 'set it as it was at its start');
    return {};
  }
  const brokerPorts = profile === 'cluster' ? clusterPortsOf(base).brokers.map(({ port }) => port) : [ports.kafka];
  const places = {
    KAFKA_BROKERS: brokerPorts.map((port) => `127.0.0.1:${port}`).join(','),
    CART_REDIS_URL: `redis://127.0.0.1:${ports.redisCarts}`,
  };
  return Object.fromEntries(needed.map((name) => [name, places[name]]));
}

/** A run's data folder holds its logs. */
const embeddedLogOf = ({ processes }: StackState): string => join(processes[0]?.logFile ?? dataRoot, '..', '..', 'event-log', 'events.log');

const run = (name: 'history' | 'redrive' | 'replay', args: readonly string[], env: Told): Promise<number> =>
  runCommand(process.execPath, [join(repository, 'apps/cart/dist', `${name}.main.js`), ...args], { env });
