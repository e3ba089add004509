/** The scenes of the lab "wrong-carts". Each scene is harmless in a right cart, and breaks one of the wrong ones. */
import {
  addLine,
  beginGuest,
  choicesOf,
  login,
  openNames,
  openRecorder,
  readCart,
  realTime,
  removeLine,
  ShopDevice,
  unsettled,
  type History,
  type ShopPerson,
  type ShopTransport,
} from '@cloakroom/testing';
import type { RunningStack } from '../../infra/launch/harness.ts';

export interface Stage {
  readonly stack: RunningStack;
  readonly person: ShopPerson;
  readonly laptop: ShopDevice;
  readonly kiosk: ShopDevice;
  readonly phone: ShopDevice;
  readonly devices: readonly ShopDevice[];
  history(): History;
}

export const sceneNames = ['same-product', 'two-products', 'stale-page', 'sign-in', 'crash'] as const;
export type SceneName = (typeof sceneNames)[number];

/** The description is the text on the page. */
export const scenes: Record<SceneName, { readonly says: string; readonly play: (stage: Stage) => Promise<void> }> = {
  'same-product': {
    says: 'two devices of one person add the same product at the same moment, some times',
    play: (stage) => addTogether(stage, 0, 0),
  },
  'two-products': {
    says: 'two devices of one person add different products at the same moment, some times',
    play: (stage) => addTogether(stage, 0, 1),
  },
  'stale-page': { says: 'one device removes a line; another, whose page still shows it, adds one more', play: playStalePage },
  'sign-in': { says: 'a person with three in the cart puts one in as a guest, on the phone, and signs in', play: playSignIn },
  crash: { says: 'a guest with one in the cart signs in, and then the service is killed', play: playCrash },
};

/** Enough that the actions overlap, and far below the limits of the gateway. */
const rounds = 6;
/** A change that a read waits for shows within milliseconds, or within seconds on a machine that does ten other things. */
const showsWithinMs = 10_000;
/** A wrong shop never settles. After this time its last reads count. */
const settlesWithinMs = 4_000;
const pauseMs = 100;

/** @param person a person whose account exists already */
export function openScene(stack: RunningStack, person: ShopPerson, transport: ShopTransport): Stage {
  const recorder = openRecorder();
  const seed = 1;
  const shared = { gateways: stack.gateways, transport, time: realTime, recorder, names: openNames() };
  const device = (name: string, index: number) => new ShopDevice(name, `127.0.7.${index}`, person, choicesOf(seed, index), shared);
  const [laptop, kiosk, phone] = [device('laptop', 1), device('kiosk', 2), device('phone', 3)];
  return { stack, person, laptop, kiosk, phone, devices: [laptop, kiosk, phone], history: () => recorder.history(seed, realTime.nowMs()) };
}

/** Every device reads at every gateway until nothing is left to wait for. */
export async function settle({ devices, stack, person, history }: Stage): Promise<History> {
  const endMs = realTime.nowMs() + settlesWithinMs;
  for (let round = 1; ; round++) {
    for (const device of devices) {
      for (const gateway of stack.gateways) {
        if (device.session?.kind !== 'user') await login(device, person);
        await readCart(device, { token: true, gateway, final: true });
      }
    }
    if (unsettled(history()).length === 0 || (round > 1 && realTime.nowMs() > endMs)) return history();
    await realTime.sleep(pauseMs);
  }
}

async function addTogether({ laptop, kiosk, person }: Stage, ofLaptop: number, ofKiosk: number): Promise<void> {
  await login(laptop, person);
  await login(kiosk, person);
  for (let round = 0; round < rounds; round++) {
    await Promise.all([add(laptop, person.products[ofLaptop]!, 1), add(kiosk, person.products[ofKiosk]!, 1)]);
    await readCart(laptop, { token: true });
    await readCart(kiosk, { token: true });
  }
}

async function playStalePage({ laptop, kiosk, person }: Stage): Promise<void> {
  const [product] = person.products as [string];
  await login(laptop, person);
  await login(kiosk, person);
  await add(laptop, product, 2);
  await untilShown(kiosk, product);
  await removeLine(laptop, laptop.lines.get(product)!);
  await add(kiosk, product, 1);
}

async function playSignIn({ laptop, phone, person }: Stage): Promise<void> {
  const [product] = person.products as [string];
  await login(laptop, person);
  await add(laptop, product, 3);
  await readCart(laptop, { token: true });
  await beginGuest(phone);
  await add(phone, product, 1);
  await login(phone, person);
  await readCart(phone, { token: true });
}

async function playCrash({ stack, devices, phone, person }: Stage): Promise<void> {
  const [product] = person.products as [string];
  await beginGuest(phone);
  await add(phone, product, 1);
  await login(phone, person);
  phone.forgetCart();
  await untilShown(phone, product);
  // Between the work and the note that the work is done: this gap is the cause of at-least-once.
  const [process] = Object.values(stack.processes);
  const pid = process!.pid()!;
  process!.kill('SIGKILL');
  await process!.waitUntilReplaced(pid);
  // Embedded keeps sessions in memory, so everybody signs in again.
  for (const device of devices) device.forgetSession();
}

/** A scene whose add failed proves nothing, so a failed add ends it. */
async function add(device: ShopDevice, product: string, quantity: number): Promise<void> {
  const { operation } = await addLine(device, product, quantity);
  if (operation.outcome !== 'ok') throw new Error(`${device.name} could not add ${product}: ${operation.error ?? operation.outcome}`);
}

async function untilShown(device: ShopDevice, product: string): Promise<void> {
  const endMs = realTime.nowMs() + showsWithinMs;
  while (!device.lines.has(product)) {
    if (realTime.nowMs() > endMs) throw new Error(`${device.name} was never shown ${product}`);
    await readCart(device, { token: true });
    if (!device.lines.has(product)) await realTime.sleep(pauseMs / 10);
  }
}
