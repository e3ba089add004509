/**
 * `npm run cart -- history|redrive|replay`: shows an operator the log of carts, and repairs it. The cart service's own programs do the work
 * (apps/cart/src/*.main.ts). This file finds the shop that is meant, its log and its view.
 */
import { join } from 'node:path';
import { dataRoot, repository } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { runningShop } from './running-shop.ts';
import { clusterPortsOf, portsOf } from '../stack/stack.ports.ts';
import type { StackState } from '../supervisor/state.ts';
import { runCommand } from './tools.ts';

export interface CartFlags {
  readonly portBase?: number;
  readonly brokers?: string;
}

/** @returns the exit code of the command */
export function cartHistory(cartId: string, flags: CartFlags & { readonly json: boolean }): Promise<number> {
  const args = [cartId, ...(flags.json ? ['--json'] : [])];
  if (flags.brokers !== undefined) return run('history', [...args, '--brokers', flags.brokers], {});
  const { state } = runningShop(flags.portBase);
  return run(
    'history',
    args,
    state.provider === 'embedded' ? { EVENT_LOG_FILE: embeddedLogOf(state) } : placesOf(state, ['KAFKA_BROKERS']),
  );
}

export function cartRedrive(flags: CartFlags & { readonly dryRun: boolean }): Promise<number> {
  return run('redrive', flags.dryRun ? ['--dry-run'] : [], storesOf(flags));
}

export function cartReplay(flags: CartFlags): Promise<number> {
  return run('replay', [], storesOf(flags));
}

type Place = 'KAFKA_BROKERS' | 'CART_REDIS_URL';

function storesOf({ portBase, brokers }: CartFlags): Partial<Record<Place, string>> {
  const { state } = runningShop(portBase);
  if (state.provider === 'embedded')
    throw new StackError(
      'the shop that runs here is embedded: its log and its view live inside its one process',
      'nothing is to be put back or replayed there: a restart reads its whole log anew',
    );
  const places = placesOf(state, ['KAFKA_BROKERS', 'CART_REDIS_URL']);
  return brokers === undefined ? places : { ...places, KAFKA_BROKERS: brokers };
}

/** The state of an external shop does not say where its stores are. The environment says it, as at its start. */
function placesOf({ provider, profile, base }: StackState, needed: readonly Place[]): Partial<Record<Place, string>> {
  if (provider === 'external') {
    const missing = needed.filter((name) => process.env[name] === undefined);
    if (missing.length > 0)
      throw new StackError(`the shop that runs here is external: ${missing.join(' and ')} is not set`, 'set it as it was at its start');
    return {};
  }
  const brokerPorts = profile === 'cluster' ? clusterPortsOf(base).brokers.map(({ port }) => port) : [portsOf(base).kafka];
  const places = {
    KAFKA_BROKERS: brokerPorts.map((port) => `127.0.0.1:${port}`).join(','),
    CART_REDIS_URL: `redis://127.0.0.1:${portsOf(base).redisCarts}`,
  };
  return Object.fromEntries(needed.map((name) => [name, places[name]]));
}

/** A run's data folder holds its logs. */
const embeddedLogOf = ({ processes }: StackState): string => join(processes[0]?.logFile ?? dataRoot, '..', '..', 'event-log', 'events.log');

const run = (
  name: 'history' | 'redrive' | 'replay',
  args: readonly string[],
  env: Partial<Record<Place | 'EVENT_LOG_FILE', string>>,
): Promise<number> => runCommand(process.execPath, [join(repository, 'apps/cart/dist', `${name}.main.js`), ...args], { env });
