/**
 * `npm run bench -- observatory`: the processor time of one request of a person in mode `hybrid`, with the Observatory and without it, and with the
 * points of faults in and off. One set of services is measured in every state. It switches between blocks (switched.ts), because two processes of the
 * same code differ by more than a fault point costs (decision 0023).
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { uuidV7 } from '@cloakroom/contracts';
import { plainProducts } from '../cart/cart.world.ts';
import { againMark, type Block, checked, Load, openGenerator, type Generator, type How } from '../measuring/load.ts';
import { pinSelf } from '../measuring/machine.ts';
import { type Headers, register, signInAll } from '../measuring/people.ts';
import { profiled } from '../measuring/profile.ts';
import { rotated } from '../measuring/statistics.ts';
import { openWorld, type World } from '../measuring/world.ts';
import { portsOf } from '../../../infra/stack/stack.ts';
import { portTaken, waitFor } from '../../../infra/supervisor/probe.ts';
import { type Switched, switchFolderVariable, Switches, switchUrlVariable } from './switches.ts';

export interface ObservatoryRequest {
  readonly base: number;
  readonly pairs: number;
  /** The length of one block; a burst of the fault points takes half of it. */
  readonly seconds: number;
  readonly personCount: number;
  readonly warmUpSeconds: number;
  /** Pairs of bursts with the fault points in and out. */
  readonly burstPairs: number;
  readonly profile: boolean;
}

export interface ObservatoryMeasured {
  readonly rate: number;
  readonly saturated: Readonly<Record<Row, readonly Block[]>>;
  readonly sameRate: Readonly<Record<Row, readonly Block[]>>;
  /** Microseconds of all services for a request, by pair of bursts. */
  readonly bursts: readonly { readonly out: number; readonly points: number }[];
}

/** The services on the way of a request, and what they ask. */
const services = ['gateway-1', 'cart', 'auth', 'catalog'] as const;
export const onTheWay = [...services, 'redis-sessions', 'redis-carts'] as const;

const rows = { alone: 'alone', again: 'alone', observed: 'observed' } as const satisfies Record<string, Switched>;
export type Row = keyof typeof rows;
export const rowNames: Readonly<Record<Row, string>> = {
  alone: 'without',
  again: `without${againMark}`,
  observed: 'with the Observatory',
};

const saturatingConnections = 32;
/** A tenth of what the services can do on a slow core: far from saturation, and a crowd for a shop on one's own machine. */
const rate = 100;
/** The optimising compiler has seen every state's code after this. */
const warmUpMs = 4_000;
const observatoryReadyMs = 30_000;
/** Profiled processes; each value is the inspector's port, counted from the base. */
const inspectorPorts = { 'gateway-1': 90, cart: 91, observatory: 92 } as const;

/** @returns undefined after profiling */
export async function benchObservatory(request: ObservatoryRequest): Promise<ObservatoryMeasured | undefined> {
  pinSelf();
  const switchFolder = `/tmp/cloakroom-bench-observatory-${process.pid}`;
  const switches = new Switches(join(switchFolder, 'switches'));
  const generator = await openGenerator(join(switchFolder, 'load'));
  let world: World | undefined;
  try {
    world = await openShop(request, join(switchFolder, 'switches'));
    await untilObserved(request);
    const bench = new Bench(request, world, switches, generator, await loadOf(world, request, generator));
    await bench.warmUp();
    if (request.profile) return await bench.profile();
    return { rate, ...(await bench.blocks()), bursts: await bench.bursts() };
  } finally {
    await world?.stop();
    await generator.stop();
    switches.remove();
  }
}

function openShop({ base, profile }: ObservatoryRequest, switchFolder: string): Promise<World> {
  const switched = ['--import', join(import.meta.dirname, 'switched.ts')];
  const inspected = (name: string): string[] =>
    profile && name in inspectorPorts ? [`--inspect=127.0.0.1:${base + inspectorPorts[name as keyof typeof inspectorPorts]}`] : [];
  return openWorld({
    name: 'observatory',
    base,
    parts: ['redis-sessions', 'redis-carts', 'kafka', ...services],
    observatory: true,
    env: () => ({
      OBSERVATORY_URL: undefined,
      [switchUrlVariable]: `http://127.0.0.1:${portsOf(base).observatory}`,
      [switchFolderVariable]: switchFolder,
    }),
    flags: {
      ...Object.fromEntries(services.map((name) => [name, [...switched, ...inspected(name)]])),
      observatory: inspected('observatory'),
    },
  });
}

/** It starts after the shop, which does not wait for it. */
async function untilObserved({ base }: ObservatoryRequest): Promise<void> {
  const look = async () => ({ ok: await portTaken(portsOf(base).observatory), detail: 'the Observatory does not listen' });
  const listens = await waitFor(look, { timeoutMs: observatoryReadyMs });
  if (!listens.ok) throw new Error(listens.detail);
}

/** People with three lines in their carts, who look at them. */
async function loadOf(world: World, { base, personCount }: ObservatoryRequest, generator: Generator): Promise<Load> {
  const [gateway] = world.gateways;
  const people = (await signInAll(gateway, await register(gateway, personCount), 'hybrid'))!;
  const productIds = await plainProducts(gateway, 3);
  for (const headers of people) for (const productId of productIds) await addLine(gateway, headers, productId);
  return new Load(`http://127.0.0.1:${base}`, '/api/cart', generator.headers('people', people));
}

async function addLine(gateway: string, headers: Headers, productId: string): Promise<void> {
  const answer = await fetch(`${gateway}/api/cart/lines`, {
    method: 'POST',
    headers: { ...headers, origin: gateway, 'content-type': 'application/json' },
    body: JSON.stringify({ productId, quantity: 1, commandId: uuidV7(Date.now(), randomBytes(10)) }),
  });
  if (answer.status !== 202) throw new Error(`a line: ${answer.status} ${await answer.text()}`);
}

class Bench {
  readonly #request: ObservatoryRequest;
  readonly #world: World;
  readonly #switches: Switches;
  readonly #generator: Generator;
  readonly #load: Load;

  constructor(request: ObservatoryRequest, world: World, switches: Switches, generator: Generator, load: Load) {
    this.#request = request;
    this.#world = world;
    this.#switches = switches;
    this.#generator = generator;
    this.#load = load;
  }

  async warmUp(): Promise<void> {
    const seconds = Math.min(warmUpMs / 1_000, this.#request.seconds * 4);
    for (const state of ['alone', 'points', 'observed'] as const) await this.#block(state, { ...this.#saturated, seconds });
    await this.#seesSpans();
  }

  async blocks(): Promise<Pick<ObservatoryMeasured, 'saturated' | 'sameRate'>> {
    const saturated: Record<Row, Block[]> = { alone: [], again: [], observed: [] };
    const sameRate: Record<Row, Block[]> = { alone: [], again: [], observed: [] };
    const { seconds, warmUpSeconds, pairs } = this.#request;
    for (let pair = 0; pair < pairs; pair++) {
      for (const row of rotated(Object.keys(rows) as Row[], pair)) {
        saturated[row].push(await this.#block(rows[row], this.#saturated));
        sameRate[row].push(await this.#block(rows[row], { kind: 'open', rate, seconds, warmUpSeconds }));
      }
      console.log(`pair ${pair + 1} of ${pairs}`);
    }
    return { saturated, sameRate };
  }

  /** Each is first equally often. */
  async bursts(): Promise<ObservatoryMeasured['bursts']> {
    const { burstPairs, seconds } = this.#request;
    const bursts: { out: number; points: number }[] = [];
    const burst = async (state: Switched) => servicesCpuUs(await this.#block(state, { ...this.#saturated, seconds: seconds / 2 }));
    for (let pair = 0; pair < burstPairs; pair++) {
      const told = { out: 0, points: 0 };
      for (const which of rotated(['out', 'points'] as const, pair)) told[which] = await burst(which === 'out' ? 'alone' : 'points');
      bursts.push(told);
    }
    console.log(`${burstPairs} pairs of bursts`);
    return bursts;
  }

  async profile(): Promise<undefined> {
    const { base, seconds } = this.#request;
    const run = () => this.#block('observed', { ...this.#saturated, seconds });
    const port = (name: keyof typeof inspectorPorts): number => base + inspectorPorts[name];
    await this.#block('alone', this.#saturated);
    for (const name of ['gateway-1', 'cart', 'observatory'] as const) await profiled(port(name), `observatory-${name}`, run);
    await profiled(port('gateway-1'), 'observatory-gateway-1-without', () => this.#block('alone', { ...this.#saturated, seconds }));
    return undefined;
  }

  get #saturated(): How & { readonly kind: 'closed' } {
    const { seconds, warmUpSeconds } = this.#request;
    return { kind: 'closed', connections: saturatingConnections, seconds, warmUpSeconds };
  }

  async #block(state: Switched, how: How): Promise<Block> {
    await this.#switches.set(
      state,
      services.map((name) => this.#world.pid(name)),
    );
    return checked(await this.#generator.run(this.#load, how, this.#world.pids(...onTheWay, 'observatory')), state);
  }

  /** An export that nobody takes would be cheap. */
  async #seesSpans(): Promise<void> {
    const { url, pageKey } = this.#world.observatory!;
    const answer = await fetch(`${url}/api/requests`, { headers: { authorization: `Bearer ${pageKey}` } });
    const text = await answer.text();
    if (!answer.ok || !text.includes('GET /api/cart'))
      throw new Error(`the Observatory has no spans: ${answer.status} ${text.slice(0, 200)}`);
  }
}

/** All services and what they ask, without the Observatory: its work stands in no request's way. */
export const servicesCpuUs = ({ cpuUs }: Pick<Block, 'cpuUs'>): number => onTheWay.reduce((sum, name) => sum + cpuUs[name]!, 0);
