/**
 * The people of one test, made ready while all is well: which gateway knows whom, which cookies each holds, and who has just signed out.
 */
import { type FailureColumn as Column, type TokenModeName, tokenModeNames } from '@cloakroom/contracts';
import { expect } from '@playwright/test';
import { newCommandId, newPerson, type Person } from '../kit/device.ts';
import { expectRefused } from '../kit/refused.ts';
import type { Stage } from './stage.ts';
import { type Seen, type Stream, Visitor } from './visitor.ts';

/** The limit while all is well: as long as Visitor.must waits. */
const setUpBudgetMs = 5_000;

export const modes = tokenModeNames;
export type Mode = TokenModeName;

/** A session as one gateway sees it. */
export interface Holder {
  readonly name: string;
  readonly mode: Mode;
  readonly column: Column;
  readonly gateway: string;
  readonly visitor: Visitor;
  readonly cartId: string;
  /** Undefined for a guest. */
  readonly email: string | undefined;
  /** The order that it is about to place: one piece that it alone put in the cart. Undefined for a guest. */
  readonly order: OrderWish | undefined;
  /** True for a holder that has only its refresh token and lacks the access token. */
  readonly refreshOnly: boolean;
}

export interface OrderWish {
  readonly key: string;
  readonly body: { readonly addressId: string; readonly seen: string };
}

export interface Crowd {
  readonly holders: readonly Holder[];
  readonly streams: readonly { readonly holder: Holder; readonly stream: Stream }[];
  /** Guests with a line in the cart, who are about to sign in as `person`. */
  readonly arriving: readonly { readonly holder: Holder; readonly person: Person; readonly mode: Mode }[];
  /** Holders that are about to sign out; both gateways have seen them. */
  readonly leaving: readonly Holder[];
  /** Holders that signed out before the part was taken away. Each keeps its cookies, to try them again. */
  readonly ended: readonly Holder[];
  /** The quantity of the counted product, by cart. */
  readonly counted: ReadonlyMap<string, number>;
  /** The number of orders so far, by cart. */
  readonly ordered: ReadonlyMap<string, number>;
}

/** `counted` is added while a part is gone. `brought` is in the guests' carts. `ordered` is checked out. */
export interface Goods {
  readonly counted: string;
  readonly brought: string;
  readonly ordered: string;
}

interface Member {
  readonly person: Person;
  readonly userId: string;
  readonly addressId: string;
  readonly knownDevice: string;
}

/**
 * One person for each mode, for as long as the stack of this worker lives. Each test signs in anew; the oldest sessions end by themselves.
 */
const members = new Map<string, Promise<Member>>();

export async function chooseGoods({ gateways }: Stage): Promise<Goods> {
  const { body } = await new Visitor().must(gateways[0], 'GET /api/products?pageSize=100', 200);
  const [counted, brought, ...others] = body.items as { productId: string; stock: number }[];
  // Each test uses up some of its stock.
  const ordered = others.toSorted((a, b) => b.stock - a.stock)[0];
  return { counted: counted!.productId, brought: brought!.productId, ordered: ordered!.productId };
}

export async function gather(stage: Stage, goods: Goods): Promise<Crowd> {
  const [here, elsewhere] = stage.gateways;
  const main = new Map(await Promise.all(modes.map(async (mode) => [mode, await signIn(here, mode)] as const)));
  const guest = await newGuest(here, goods);
  const at = (from: Holder, name: string, column: Column, gateway: string, leavesOut: readonly string[] = []): Holder => ({
    ...from,
    name,
    column,
    gateway,
    refreshOnly: leavesOut.length > 0,
    visitor: gateway === here ? from.visitor : from.visitor.copy(leavesOut),
  });
  const [reference, hybrid, jwt, denylist] = modes.map((mode) => main.get(mode)!) as [Holder, Holder, Holder, Holder];
  const strangers = [
    at(reference, 'reference', 'none', here),
    at(hybrid, 'hybrid, seen here', 'known', here),
    at(hybrid, 'hybrid, not seen here', 'none', elsewhere),
    at(guest, 'guest, seen here', 'known', here),
    at(guest, 'guest, not seen here', 'none', elsewhere),
    at(denylist, 'jwt-denylist with its access token', 'known', here),
    at(denylist, 'jwt-denylist, refresh token alone', 'none', elsewhere, ['__Host-access']),
    at(jwt, 'jwt with its access token', 'jwt', here),
    at(jwt, 'jwt, refresh token alone', 'none', elsewhere, ['__Host-access']),
  ];
  const holders = await wishesOf(strangers, main, goods);
  // Both gateways must know the product: without the catalog a gateway refuses a product that it never showed.
  for (const gateway of stage.gateways) await reference.visitor.must(gateway, 'POST /api/cart/lines', 202, addition(goods.counted));
  await settled(reference, goods);
  const seenHere = holders.filter(({ gateway }) => gateway === here);
  const counted = new Map(await Promise.all(seenHere.map(async (holder) => [holder.cartId, await lookAround(holder, goods)] as const)));
  const ordered = new Map(
    await Promise.all(
      seenHere.filter(({ email }) => email !== undefined).map(async (holder) => [holder.cartId, await countOrders(holder)] as const),
    ),
  );
  const streams = await Promise.all(
    seenHere.map(async (holder) => {
      const stream = await holder.visitor.openStream(here, 5_000);
      expect(stream.isOpen(), `the stream of ${holder.name}`).toBe(true);
      return { holder, stream };
    }),
  );
  const arriving = await Promise.all(
    modes.map(async (mode) => ({ holder: await newGuest(elsewhere, goods), person: (await memberOf(mode, here)).person, mode })),
  );
  const leaving = await Promise.all([...modes.map((mode) => signedInAndSeen(stage, mode)), newGuest(elsewhere, goods)]);
  const ended = await Promise.all(modes.map((mode) => signedOut(stage, mode)));
  return { holders, streams, arriving, leaving, ended, counted, ordered };
}

/**
 * Puts one piece for each holder in the cart, at the one gateway that knows its person. It waits until the cart shows the piece,
 * because an order of anything else is refused.
 */
async function wishesOf(holders: readonly Holder[], main: ReadonlyMap<Mode, Holder>, { ordered }: Goods): Promise<Holder[]> {
  const wishing: Holder[] = [];
  for (const holder of holders) {
    if (holder.email === undefined) {
      wishing.push(holder);
      continue;
    }
    const { visitor, gateway } = main.get(holder.mode)!;
    const { body } = await visitor.must(gateway, 'POST /api/cart/lines', 202, addition(ordered));
    const { addressId } = await members.get(holder.mode)!;
    wishing.push({ ...holder, order: { key: newCommandId(), body: { addressId, seen: body.seen as string } } });
  }
  for (const holder of main.values()) {
    const wished = wishing.filter(({ cartId, order }) => cartId === holder.cartId && order !== undefined).length;
    const shown = async () => quantityOf((await holder.visitor.must(holder.gateway, 'GET /api/cart', 200)).body, ordered);
    await expect.poll(shown, { timeout: 90_000 }).toBeGreaterThanOrEqual(wished);
  }
  return wishing;
}

/** All orders that this person ever placed. */
export async function countOrders({ visitor, gateway }: Holder): Promise<number> {
  return (await visitor.must(gateway, 'GET /api/orders?pageSize=1', 200)).body.total as number;
}

/** Makes this gateway know the person, for each service. @returns the quantity of the counted product in the cart */
async function lookAround({ visitor, gateway }: Holder, { counted }: Goods): Promise<number> {
  const { body } = await visitor.must(gateway, 'GET /api/cart', 200);
  await visitor.must(gateway, 'GET /api/profile', 200);
  return quantityOf(body, counted);
}

/** Waits until the cart shows what was added. */
async function settled({ visitor, gateway }: Holder, { counted }: Goods): Promise<void> {
  const { body } = await visitor.must(gateway, 'GET /api/cart', 200);
  if (body.stale !== true && quantityOf(body, counted) > 0) return;
  await expect.poll(async () => (await visitor.must(gateway, 'GET /api/cart', 200)).body.stale as boolean, { timeout: 90_000 }).toBe(false);
}

export function quantityOf(cart: { readonly lines: readonly { productId: string; quantity: number }[] }, productId: string): number {
  return cart.lines.reduce((sum, line) => sum + (line.productId === productId ? line.quantity : 0), 0);
}

function memberOf(mode: Mode, gateway: string): Promise<Member> {
  const known = members.get(mode) ?? register(gateway);
  members.set(mode, known);
  // A failed attempt must not fail the later tests too.
  known.catch(() => members.delete(mode));
  return known;
}

async function register(gateway: string): Promise<Member> {
  const { visitor, person, body } = await untilRegistered(gateway);
  const address = { name: person.name, line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' };
  const profile = await visitor.must(gateway, 'PATCH /api/profile', 200, { addresses: [address] });
  const addressId = profile.body.addresses[0].addressId as string;
  return { person, userId: body.user.id as string, addressId, knownDevice: visitor.cookies.get('__Host-known-device') ?? '' };
}

/** Registers a new person at each try. An attempt refused with 503 may have been written, and its e-mail address is taken then. */
export async function untilRegistered(
  gateway: string,
  draw: () => Person = newPerson,
): Promise<{ readonly visitor: Visitor; readonly person: Person; readonly body: Seen['body'] }> {
  let made: { visitor: Visitor; person: Person; body: Seen['body'] } | undefined;
  await expect(async () => {
    const [visitor, person] = [new Visitor(), draw()];
    const { status, body } = await visitor.call(gateway, 'POST /api/session/register', setUpBudgetMs, person);
    expect(status, `register: ${JSON.stringify(body)}`).toBe(201);
    made = { visitor, person, body };
  }).toPass({ timeout: 90_000, intervals: [100, 250, 500] });
  return made!;
}

async function signIn(gateway: string, mode: Mode): Promise<Holder> {
  const { person, userId, knownDevice } = await memberOf(mode, gateway);
  const visitor = new Visitor([['__Host-known-device', knownDevice]]);
  const { email, password } = person;
  const { body } = await visitor.must(gateway, 'POST /api/session/login', 200, { email, password, mode });
  expect(body.mode).toBe(mode);
  return { name: mode, mode, column: 'none', gateway, visitor, cartId: userId, email, order: undefined, refreshOnly: false };
}

async function newGuest(gateway: string, { brought }: Goods): Promise<Holder> {
  const visitor = new Visitor();
  await visitor.must(gateway, 'POST /api/cart/lines', 202, addition(brought));
  await expect.poll(async () => quantityOf((await visitor.must(gateway, 'GET /api/cart', 200)).body, brought), { timeout: 90_000 }).toBe(1);
  const { body } = await visitor.must(gateway, 'GET /api/cart', 200);
  return {
    name: 'guest',
    mode: 'hybrid',
    column: 'none',
    gateway,
    visitor,
    cartId: body.cartId,
    email: undefined,
    order: undefined,
    refreshOnly: false,
  };
}

async function signedInAndSeen({ gateways }: Stage, mode: Mode): Promise<Holder> {
  const holder = await signIn(gateways[1], mode);
  for (const gateway of gateways) await holder.visitor.must(gateway, 'GET /api/cart', 200);
  return holder;
}

/** A session that both gateways have seen. A copy of its cookies signs out at one gateway; the returned holder still has the cookies. */
async function signedOut(stage: Stage, mode: Mode): Promise<Holder> {
  const holder = await signedInAndSeen(stage, mode);
  await holder.visitor.copy().must(stage.gateways[1], 'POST /api/session/logout', 204);
  await untilRefused(stage, holder);
  return holder;
}

/**
 * Every gateway refuses an ended session within its bound. In `jwt` the bound is the life of the
 * access token: that is the lesson of this mode.
 */
export async function untilRefused({ gateways }: Stage, { visitor, mode }: Holder): Promise<void> {
  if (mode === 'jwt') return;
  for (const gateway of gateways) {
    await expectRefused({
      ask: async () => (await visitor.call(gateway, 'GET /api/session', 2_000)).body.state as string,
      refused: 'none',
      isAccepted: (state) => state === 'guest' || state === 'user',
      message: `${mode}: a session that was ended is over at ${gateway}`,
    });
  }
}

export const addition = (productId: string) => ({ commandId: newCommandId(), productId, quantity: 1 });
