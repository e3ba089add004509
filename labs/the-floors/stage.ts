/**
 * A gateway, auth with its session store behind a proxy, and a backend that verifies passports as cart does. Beside it stands the same gateway with
 * identity taken out. The stage asks each class of operation in each mode while the store is at full, slow or away.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TokenModeName } from '@cloakroom/contracts';
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import { portsOf } from '../../infra/stack/stack.ts';
import { Load, openGenerator, type Generator } from '../bench/measuring/load.ts';
import { register, signInAll, type Headers, type Person } from '../bench/measuring/people.ts';
import { backendOf, openWorld, type World } from '../bench/measuring/world.ts';

export const states = ['full', 'slow', 'away'] as const;
export type State = (typeof states)[number];

/** A request of each class. All carry the cookie: a public page asks too, and is shown as to a guest where it gets no answer in time. */
export const requests = {
  public: '/api/products/p-mug',
  cart: '/api/cart',
  personal: '/api/session',
  sensitive: '/api/session/devices',
} as const;
export type Class = keyof typeof requests;
export const classes = Object.keys(requests) as Class[];

export interface Seen {
  /** Part of the requests that got their answer. */
  readonly answered: number;
  /** Median of the answered ones; NaN where there was none. */
  readonly p50Ms: number;
}

export interface Stage {
  readonly world: World;
  readonly people: readonly Person[];
  /** @param mode undefined for the gateway without identity */
  measure(mode: TokenModeName | undefined, state: State): Promise<Readonly<Partial<Record<Class, Seen>>>>;
  /** Whether a request without any cookie gets a cart there. */
  isOpenToNobody(mode: TokenModeName | undefined): Promise<boolean>;
  close(): Promise<void>;
}

export interface StageRequest {
  readonly base: number;
  /** Milliseconds that a round trip to the session store takes more, while it is slow. */
  readonly slowMs: number;
  readonly blockSeconds: number;
  /** People whose requests take turns. */
  readonly personCount: number;
}

const warmUpSeconds = 0.05;
/** A breaker closes again within seconds of the store's return. */
const wellWithinMs = 20_000;
const lookAgainMs = 50;

export async function openStage({ base, slowMs, blockSeconds, personCount }: StageRequest): Promise<Stage> {
  const proxy = await openTcpProxy({ port: portsOf(base).redisSessions, protocol: 'any' });
  const generator = await openGenerator(`/tmp/cloakroom-lab-floors-${process.pid}`);
  let world: World | undefined;
  const close = async (): Promise<void> => {
    await world?.stop();
    await generator.stop();
    await proxy.close();
  };
  try {
    world = await openWorld({
      name: 'the-floors',
      base,
      parts: ['redis-sessions', 'kafka', 'auth', 'gateway-1', 'gateway-2'],
      programs: [backendOf(base)],
      env: (name) => ({
        ...(name === 'auth' && { SESSION_REDIS_URL: `redis://${proxy.address}` }),
        CART_ADMIN_URL: undefined,
      }),
      flags: { 'gateway-2': ['--import', join(import.meta.dirname, 'identity-out.ts')] },
      unpinned: true,
    });
    const [gateway, open] = world.gateways;
    const people = await untilDone(() => register(gateway, personCount));
    const [probe] = (await untilDone(() => signInAll(gateway, people.slice(0, 1), 'reference')))!;
    const shop: Shop = { world, people, proxy, generator, slowMs, blockSeconds, probe: probe!, signedIn: new Map() };
    return {
      world,
      people,
      measure: (mode, state) => measure(shop, mode, state),
      isOpenToNobody: async (mode) => (await fetch((mode === undefined ? open : gateway) + requests.cart)).status === 200,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Shop {
  readonly world: World;
  readonly people: readonly Person[];
  readonly proxy: TcpProxy;
  readonly generator: Generator;
  readonly slowMs: number;
  readonly blockSeconds: number;
  /** A session of mode reference, for looks at the state of the store. */
  readonly probe: Headers;
  readonly signedIn: Map<TokenModeName, { readonly people: readonly Headers[]; readonly atMs: number }>;
}

/** Long before the end of an access token, which the generator does not renew as a browser does. */
const renewAfterMs = 120_000;

async function signedIn({ world, people, signedIn: known }: Shop, mode: TokenModeName): Promise<readonly Headers[]> {
  const before = known.get(mode);
  if (before !== undefined && performance.now() - before.atMs < renewAfterMs) return before.people;
  const made = await untilDone(() => signInAll(world.gateways[0], people, mode));
  if (made === undefined) throw new Error(`this shop does not allow the mode ${mode}`);
  known.set(mode, { people: made, atMs: performance.now() });
  return made;
}

async function measure(shop: Shop, mode: TokenModeName | undefined, state: State): Promise<Partial<Record<Class, Seen>>> {
  const { world, proxy, generator, probe } = shop;
  const [gateway, open] = world.gateways;
  const crowd = mode === undefined ? [{}] : await signedIn(shop, mode);
  // The gateway without identity has nobody to name for what is personal.
  const asked = mode === undefined ? (['public', 'cart'] as const) : classes;
  const file = generator.headers(`people-${mode}`, crowd);
  const at = mode === undefined ? open : gateway;
  // Whoever is known to a gateway was seen there while all was well.
  for (const name of asked) for (const headers of crowd) await untilAnswered(at + requests[name], headers);
  setState(shop, state);
  try {
    const seen: Partial<Record<Class, Seen>> = {};
    for (const name of asked) {
      const load = new Load(at, requests[name], file);
      seen[name] = seenOf(await generator.run(load, { kind: 'closed', connections: 1, seconds: shop.blockSeconds, warmUpSeconds }, {}));
    }
    await happened(gateway, state, shop);
    return seen;
  } finally {
    proxy.mend();
    proxy.delay(0);
    await untilAnswered(gateway + requests.sensitive, probe);
  }
}

function setState({ proxy, slowMs }: Shop, state: State): void {
  proxy.delay(state === 'slow' ? slowMs : 0, 'answers');
  if (state === 'away') proxy.cut();
}

function seenOf({ answered, wrong, latency }: Awaited<ReturnType<Generator['run']>>): Seen {
  const refused = Object.values(wrong).reduce((sum, count) => sum + count, 0);
  if (answered + refused === 0) throw new Error('nothing was asked');
  return { answered: answered / (answered + refused), p50Ms: answered === 0 ? Number.NaN : latency.p50 / 1_000 };
}

/** A reference token is looked up each time, so it tells what the store is like: a fault that does nothing is no measurement. */
async function happened(gateway: string, state: State, { slowMs, probe }: Shop): Promise<void> {
  const look = async (): Promise<number> => {
    const { status } = await fetch(gateway + requests.cart, { headers: probe });
    // A busy machine refuses one now and then.
    if (status !== (state === 'away' ? 503 : 200)) throw new Error(`the store is ${state}, and a look-up got ${status}`);
    return performance.now();
  };
  const tookMs = await untilDone(async () => {
    const startedMs = performance.now();
    return (await look()) - startedMs;
  });
  if (state === 'slow' && tookMs < slowMs) throw new Error(`the store is slow by ${slowMs} ms, and a look-up took ${tookMs} ms`);
}

async function untilAnswered(url: string, headers: Headers): Promise<void> {
  await untilDone(async () => {
    const answer = await fetch(url, { headers });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  });
}

async function untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
  const giveUpMs = performance.now() + wellWithinMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > giveUpMs) throw error;
      await delay(lookAgainMs);
    }
  }
}
