/**
 * Clients that shop at random, as a seed decides, and record the results. They know only the public HTTP API. The choices of a device
 * depend on the seed and on what it has seen. The speed of the shop decides how far each device gets.
 */
import type { ProductPage } from '@cloakroom/contracts/http';
import { openRecorder, type History, type Recorder } from '../history/history.ts';
import { unsettled } from '../history/history.check.ts';
import {
  addLine,
  applyCoupon,
  clearCart,
  copyLeftBehind,
  readCart,
  removeCoupon,
  removeLine,
  repeatPending,
  setLine,
} from './shop-cart.ts';
import { ShopDevice, type Regions, type Shared, type ShopPerson } from './shop-device.ts';
import { openNames } from './shop-dots.ts';
import { checkOut, giveAddress, readOrders, readProduct } from './shop-orders.ts';
import { choicesOf } from './shop-random.ts';
import { emailOf } from './shop-regions.ts';
import { beginGuest, login, logout, register, useEnded } from './shop-sessions.ts';
import { httpTransport, realTime, type ShopTime, type ShopTransport } from './shop-transport.ts';

export interface WorkloadOptions {
  readonly gateways: readonly string[];
  readonly seed: number;
  /** The number of devices, 6 by default. There are a third as many persons, and each person has one watcher more. */
  readonly clients?: number;
  /** Ends the shopping; running calls are finished first. */
  readonly signal?: AbortSignal;
  /** Also ends the shopping. */
  readonly durationMs?: number;
  /** The average pause between two calls of one device. The default is 60 ms: some 10 calls a second for each device. */
  readonly thinkMs?: number;
  /** Products to buy, at least two for each person. By default the shop's first products. */
  readonly products?: readonly string[];
  /** Also does check-outs and coupons; true by default. */
  readonly withCheckout?: boolean;
  /** Some steps only look at products, as most people do; false by default. A history has no such steps. */
  readonly browses?: boolean;
  /** Runs between the shopping and the last reads, and mends what was broken. */
  readonly heal?: () => Promise<void>;
  /** How long the last reads are repeated until they show the final state; 20 s by default. */
  readonly settleMs?: number;
  /** A recorder that also records the faults that are caused meanwhile. */
  readonly recorder?: Recorder;
  /** The second part of every source address, 127.<net>.x.y, so that two runs at once do not share a limit. */
  readonly network?: number;
  readonly transport?: ShopTransport;
  readonly time?: ShopTime;
  /** Each gateway is a region of its own, and the home of every second person. */
  readonly regions?: Regions;
  /** How the history is to be judged, where that differs from a shop of one region. */
  readonly bounds?: History['bounds'];
}

/** Shops, waits until the shop is healed, reads until it has settled, and returns the record. */
export async function runWorkload(options: WorkloadOptions): Promise<History> {
  const { seed, durationMs = Number.POSITIVE_INFINITY, signal, settleMs = 20_000 } = options;
  const time = options.time ?? realTime;
  const recorder = options.recorder ?? openRecorder(() => time.nowMs());
  const transport = options.transport ?? httpTransport();
  try {
    const { gateways, regions, bounds } = options;
    const workload = await openWorkload(options, { gateways, transport, time, recorder, names: openNames(), lossShare, regions });
    const history = (healedAtMs: number): History => ({ ...recorder.history(seed, healedAtMs), ...(bounds && { bounds }) });
    const endMs = time.nowMs() + durationMs;
    const running = (): boolean => signal?.aborted !== true && time.nowMs() < endMs;
    await Promise.all([
      ...workload.devices.map((device) => shop(workload, device, running)),
      ...workload.watchers.map((w) => w.watch(running)),
    ]);
    await options.heal?.();
    const healedAtMs = time.nowMs();
    await settle(workload, time, () => history(healedAtMs), healedAtMs + settleMs);
    return history(healedAtMs);
  } finally {
    if (options.transport === undefined) transport.close();
  }
}

interface Workload {
  readonly options: WorkloadOptions;
  readonly persons: readonly ShopPerson[];
  readonly devices: readonly ShopDevice[];
  readonly watchers: readonly Watcher[];
  readonly products: readonly string[];
}

/** The share of all commands: enough that the sign-ins of a minute meet some, and few enough that most outcomes are known. */
const lossShare = 0.1;

const addressOf = (network: number, index: number): string => `127.${network}.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;

async function openWorkload(options: WorkloadOptions, shared: Shared): Promise<Workload> {
  const { seed, clients = 6, network = 10 + (seed % 200), withCheckout = true } = options;
  const personCount = Math.max(2, Math.ceil(clients / 3));
  const run = `${seed}-${Math.floor(shared.time.nowMs()).toString(36)}`;
  const deviceAt = (name: string, index: number, person: ShopPerson): ShopDevice =>
    new ShopDevice(name, addressOf(network, index), person, choicesOf(seed, index), shared);
  const products = options.products ?? (await firstProducts(shared, addressOf(network, 0), 3 * personCount + 1));
  const [scarce = '', ...own] = products;
  const share = Math.floor(own.length / personCount);
  const persons = Array.from({ length: personCount }, (_, at): ShopPerson => {
    const name = `p${at + 1}`;
    const mine = own.slice(at * share, (at + 1) * share);
    const home = shared.regions && shared.gateways[at % shared.gateways.length];
    const email = emailOf(`${name}-${run}`, shared.regions?.names, at);
    return { name, email, password: 'correct horse battery staple', products: [...mine, scarce], home };
  });
  const watchers = persons.map((person, at) => new Watcher(deviceAt(`w${at + 1}`, at, person)));
  for (const { device } of watchers) {
    if (!(await register(device))) throw new Error(`${device.person.email} cannot be registered`);
    if (device.session === undefined) await login(device, device.person);
    if (withCheckout) await giveAddress(device);
  }
  const devices = Array.from({ length: clients }, (_, at) => deviceAt(`d${at + 1}`, personCount + at, persons[at % personCount]!));
  // Each region sells from what it holds, so no single look tells what there is to sell.
  if (shared.regions === undefined) for (const productId of products) await readProduct(watchers[0]!.device, productId);
  return { options, persons, devices, watchers, products };
}

async function firstProducts(shared: Shared, from: string, count: number): Promise<string[]> {
  const answer = await shared.transport.call({
    gateway: shared.gateways[0]!,
    method: 'GET',
    path: `/api/products?pageSize=${Math.min(count, 50)}`,
    headers: {},
    from,
  });
  const items = (answer.body as Partial<ProductPage> | undefined)?.items;
  if (items === undefined || items.length < 3) throw new Error(`no products to buy: ${answer.status} ${answer.error ?? ''}`);
  return items.map(({ productId }) => productId);
}

/** A `seen` can name 500 dots. Carts stay far below that, because changes meet more often in a small cart. */
const dotCountMax = 60;
/** Upper case, as they are shown: one that counts, one that needs a subtotal, one that has expired, and one that does not exist. */
const couponCodes = ['WELCOME10', 'WINTER5', 'SUMMER20', 'NOSUCH'];

async function shop(workload: Workload, device: ShopDevice, running: () => boolean): Promise<void> {
  const { thinkMs = 60 } = workload.options;
  for (let step = 1; running(); step++) {
    if (workload.options.browses === true && device.random.chance(browseShare)) await browse(workload, device);
    else await takeStep(workload, device, `${device.name}-${step}`);
    await device.shared.time.sleep(device.random.below(2 * thinkMs + 1));
  }
}

async function takeStep(workload: Workload, device: ShopDevice, stepName: string): Promise<void> {
  const { random, session, lines } = device;
  const waits = device.pending.length > 0;
  if (session === undefined) {
    if (random.chance(waits ? 0.2 : 0.6)) return beginGuest(device);
    return signIn(workload, device);
  }
  const user = session.kind === 'user';
  const orders = user && workload.options.withCheckout !== false;
  const step = random.weighted({
    add: 40,
    set: lines.size > 0 ? 12 : 0,
    remove: lines.size > 0 ? 12 : 0,
    clear: device.seen !== '' ? 2 : 0,
    read: 35,
    // A repeated command must survive a sign-in or sign-out while its answer is missing.
    signIn: user ? 0 : waits ? 30 : 8,
    leave: user ? (waits ? 6 : 3) : 0,
    again: waits ? 25 : 0,
    copy: user && device.leftBehind.length > 0 ? 20 : 0,
    ended: device.ended.length > 0 ? 6 : 0,
    coupon: workload.options.withCheckout !== false ? 4 : 0,
    order: orders ? 6 : 0,
    orders: orders ? 2 : 0,
  });
  const line = (): [...Parameters<typeof setLine>] => [device, random.pick([...lines.values()]), random.below(5)];
  switch (step) {
    case 'add':
      if (lines.size > 0 && lengthOf(device) > dotCountMax) return void (await clearCart(device));
      return notice(workload, device, await addLine(device, random.pick(device.person.products), 1 + random.below(3)));
    case 'set':
      return void (await setLine(...line()));
    case 'remove':
      return void (await removeLine(device, line()[1]));
    case 'clear':
      return void (await clearCart(device));
    case 'read':
      return void (await readCart(device, { token: random.chance(0.7) }));
    case 'signIn':
      return signIn(workload, device);
    case 'leave':
      return void (await logout(device));
    case 'again':
      return repeatPending(device);
    case 'copy':
      return copyLeftBehind(device);
    case 'ended':
      // Only the newest ended sessions: one that ended an hour ago is refused everywhere.
      return void (await useEnded(device, random.pick(device.ended.slice(-3)), device.person.products[0]!));
    case 'coupon':
      return void (device.coupons.length > 0
        ? await removeCoupon(device, random.pick(device.coupons))
        : await applyCoupon(device, random.pick(couponCodes)));
    case 'order':
      await readCart(device, { token: true });
      return checkOut(device, `${stepName}-${workload.options.seed}`);
    case 'orders':
      return readOrders(device);
  }
}

/** A shop is looked at more than it is bought from. */
const browseShare = 0.35;

/** A page of products, and one of them. */
async function browse({ products }: Workload, device: ShopDevice): Promise<void> {
  const { shared, random, from } = device;
  const cookie = device.cookies();
  const headers: Record<string, string> = cookie === '' ? {} : { cookie };
  const asked = { gateway: random.pick(shared.gateways), method: 'GET', headers, from };
  await shared.transport.call({ ...asked, path: `/api/products?page=${1 + random.below(3)}` });
  await shared.transport.call({ ...asked, path: `/api/products/${random.pick(products)}` });
}

/** 16 bytes for each dot, in base64. This is exact enough to know when to tidy up. */
const lengthOf = (device: ShopDevice): number => (device.seen.length * 3) / 4 / 16;

/** Sometimes a device is handed on: the next person who signs in there must not see anything of the person before. */
async function signIn({ persons }: Workload, device: ShopDevice): Promise<void> {
  const wasSomebody = device.session === undefined;
  const person = wasSomebody && device.random.chance(0.3) ? device.random.pick(persons) : device.person;
  await login(device, person);
}

function notice({ watchers }: Workload, device: ShopDevice, told: Awaited<ReturnType<typeof addLine>>): void {
  const { outcome, input } = told.operation;
  if (outcome !== 'ok' || device.session?.kind !== 'user') return;
  watchers.find((watcher) => watcher.device.person === device.person)?.look(String(input['commandId']));
}

/** Looks, without a token, until it sees a command that another device was just told of. That time is the time to visible. */
class Watcher {
  readonly device: ShopDevice;
  #wanted: string | undefined;
  #wake: () => void = () => undefined;

  constructor(device: ShopDevice) {
    this.device = device;
  }

  /** Ignored while the watcher looks for another command. */
  look(command: string): void {
    this.#wanted ??= command;
    this.#wake();
  }

  async watch(running: () => boolean): Promise<void> {
    const { time } = this.device.shared;
    while (running()) {
      if (this.device.session === undefined) await login(this.device, this.device.person);
      if (this.#wanted === undefined) {
        await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), time.sleep(idleMs)]);
        continue;
      }
      for (let look = 0, pauseMs = 2; look < lookMax && running(); look++, pauseMs = Math.min(2 * pauseMs, 200)) {
        const { operation } = await readCart(this.device, { token: false, looksFor: this.#wanted });
        const dots = operation.output?.['dots'];
        if (Array.isArray(dots) && dots.includes(this.#wanted)) break;
        await time.sleep(pauseMs);
      }
      await time.sleep(this.device.random.below(600));
      this.#wanted = undefined;
    }
  }
}

/** The pause after which a watcher checks whether the shopping is over. */
const idleMs = 100;
/** With the pauses this is 1.3 s, and far below 300 reads in 10 s. A command that takes longer is no question of milliseconds any more. */
const lookMax = 12;

/** Every device reads at every gateway, until the checker has nothing to wait for any more or the time is up. */
async function settle(workload: Workload, time: ShopTime, history: () => History, untilMs: number): Promise<void> {
  const devices = [...workload.watchers.map(({ device }) => device), ...workload.devices];
  for (let round = 1; ; round++) {
    for (const device of devices) {
      if (device.session === undefined) await login(device, device.person);
      const { gateways } = device.shared;
      for (const gateway of gateways) await readCart(device, { token: true, gateway, final: true });
    }
    if (workload.options.withCheckout !== false) for (const { device } of workload.watchers) await readOrders(device, true);
    const waiting = unsettled(history());
    if (waiting.length === 0 || time.nowMs() > untilMs) break;
    await time.sleep(Math.min(1_000, 100 * round));
  }
  for (const productId of workload.products) await readProduct(workload.watchers[0]!.device, productId);
}
