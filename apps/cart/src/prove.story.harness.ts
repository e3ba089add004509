/**
 * What happens in one history of the world, as steps that can be made up, run, and told. A step that makes no sense where it stands (a removal of
 * what the page does not show) does nothing.
 */
import fc from 'fast-check';
import { Ledger } from './prove.ledger.harness.ts';
import {
  dotsOfPage,
  emptyPage,
  guests,
  stranger,
  user,
  World,
  type Command,
  type Fate,
  type Page,
  type Sent,
} from './prove.world.harness.ts';
import type { CartState, Dot } from './cart.ts';
import { partitionOfCart } from './parts.ts';

export const deviceNames = ['phone', 'tablet', 'laptop', 'kiosk'] as const;
const cartNames = { phone: guests[0], tablet: guests[1], laptop: user, stranger } as const;
type CartName = keyof typeof cartNames;

export type Step =
  /** Fresh: on a page that was read again for it. */
  | { readonly do: 'send'; readonly device: number; readonly command: Command; readonly fresh: boolean }
  | { readonly do: 'order'; readonly device: number; readonly fresh: boolean }
  | { readonly do: 'read'; readonly device: number }
  | { readonly do: 'sign-in' | 'steal'; readonly device: number }
  /** A request of the guest that was under way when it signed in. */
  | { readonly do: 'late'; readonly device: number; readonly command: Command }
  | { readonly do: 'confirm' | 'catch-up' }
  | { readonly do: 'days'; readonly count: number }
  | { readonly do: 'repeat'; readonly nth: number }
  | { readonly do: 'project'; readonly cart: CartName; readonly count: number; readonly fate: Fate }
  | { readonly do: 'misdeliver'; readonly cart: CartName; readonly by: number }
  | { readonly do: 'wipe'; readonly cart: CartName };

/** Less than the age at which a command is refused, and more than the dead are kept. */
const jumps = [3, 15] as const;
const line = fc.constantFrom('hat', 'mug');
const quantity = fc.integer({ min: 1, max: 5 });
const code = fc.constantFrom('WELCOME10', 'WINTER5');
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), line, quantity }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), line, quantity }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), line }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('coupon' as const, 'uncoupon' as const), code }) },
);
const cart = fc.constantFrom<CartName>('laptop', 'laptop', 'phone', 'tablet', 'stranger');
const fate = fc.constantFrom<Fate>(
  'well',
  'well',
  'killed-before-forward',
  'killed-after-forward',
  'killed-before-write',
  'killed-after-write',
  'raced',
);
const device = fc.nat({ max: deviceNames.length - 1 });
const guestDevice = fc.nat({ max: guests.length - 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), device, command, fresh: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), device }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('catch-up' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('project' as const), cart, count: fc.integer({ min: 1, max: 3 }), fate }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sign-in' as const), device: guestDevice }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('late' as const), device: guestDevice, command }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('order' as const), device: fc.constantFrom(2, 0, 1, 3), fresh: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('confirm' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('days' as const), count: fc.constantFrom(...jumps) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), nth: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('steal' as const), device: guestDevice }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('misdeliver' as const), cart, by: fc.constantFrom(-2, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wipe' as const), cart }) },
);
export const story = fc.array(step, { minLength: 1, maxLength: 24, size: 'max' });

export class Telling {
  readonly world: World;
  readonly #ledger = new Ledger();
  readonly #devices: { cartId: string; page: Page }[];
  readonly #guestPages = new Map<string, Page>();
  readonly #sent: Sent[] = [];
  readonly #orders: { readonly cartId: string; readonly orderId: string; readonly dots: readonly Dot[] }[] = [];

  private constructor(world: World) {
    this.world = world;
    this.#devices = [guests[0], guests[1], user, user].map((cartId) => ({ cartId, page: emptyPage() }));
  }

  static async open(): Promise<Telling> {
    return new Telling(await World.open());
  }

  /** @returns whether anything happened */
  async run(one: Step): Promise<boolean> {
    switch (one.do) {
      case 'send': {
        if (one.fresh) await this.#read(this.#devices[one.device]!);
        const { cartId, page } = this.#devices[one.device]!;
        return this.#send(cartId, page, one.command);
      }
      case 'late':
        return this.#late(guests[one.device]!, one.command);
      case 'read':
        return this.#read(this.#devices[one.device]!);
      case 'sign-in':
        return this.#signIn(one.device);
      case 'steal':
        this.#ledger.claimed(guests[one.device]!, stranger);
        await this.world.claim(guests[one.device]!, stranger);
        return true;
      case 'order':
        if (one.fresh) await this.#read(this.#devices[one.device]!);
        return this.#order(this.#devices[one.device]!);
      case 'catch-up':
        await this.world.drain();
        return true;
      case 'confirm':
        for (const { cartId, orderId, dots } of this.#orders) await this.world.confirm(cartId, orderId, dots);
        return this.#orders.length > 0;
      case 'days':
        this.world.passDays(one.count);
        return true;
      case 'repeat':
        return this.#repeat(one.nth);
      case 'project':
        return this.world.project(cartNames[one.cart], one.count, one.fate);
      case 'misdeliver':
        await this.world.misdeliver(cartNames[one.cart], one.by);
        return true;
      case 'wipe':
        await this.world.wipe(cartNames[one.cart]);
        return true;
    }
  }

  /** Delivers all, looks, then loses the whole view, replays the log, and looks again. @throws what is wrong */
  async end(): Promise<void> {
    for (const { cartId, orderId, dots } of this.#orders) await this.world.confirm(cartId, orderId, dots);
    await this.world.drain();
    await this.#check('once everything has arrived');
    for (const cartId of [user, ...guests]) await this.world.wipe(cartId);
    await this.world.drain(2);
    await this.#check('after a replay of the whole log');
  }

  async #check(when: string): Promise<void> {
    for (const cartId of [user, stranger, ...guests]) {
      const state = await this.#stateOf(cartId);
      if (state === undefined) continue;
      const fault = this.#ledger.faultOf(cartId, state);
      if (fault !== undefined) throw new Error(`${when}: ${fault}`);
      const [shown, due] = [(await this.world.read(cartId)).quantities, this.#ledger.quantitiesOf(state)].map((of) => JSON.stringify(of));
      if (shown !== due) throw new Error(`${when}: shows ${shown} for ${due}`);
    }
  }

  async #stateOf(cartId: string): Promise<CartState | undefined> {
    const { parts } = this.world;
    return (await parts.view.load(partitionOfCart(parts, cartId), [cartId])).carts.get(cartId)?.state;
  }

  async #send(cartId: string, page: Page, what: Command): Promise<boolean> {
    const seen = seenBy(page, what);
    if (seen.length === 0 && what.kind !== 'add' && what.kind !== 'set' && what.kind !== 'coupon') return false;
    const sent: Sent = { cartId, commandId: this.world.newId(), command: what, seen };
    const seenNow = await this.world.send(sent);
    if (seenNow === undefined) return false;
    this.#ledger.acknowledged(sent);
    this.#sent.push(sent);
    show(page, what, seenNow);
    return true;
  }

  async #late(guestCartId: string, what: Command): Promise<boolean> {
    if (this.#ledger.claimOf(guestCartId) === undefined) return false;
    return this.#send(guestCartId, this.#guestPages.get(guestCartId) ?? emptyPage(), what);
  }

  async #read(reader: { readonly cartId: string; page: Page }): Promise<boolean> {
    const { page, stale } = await this.world.read(reader.cartId);
    if (!stale) reader.page = page;
    return !stale;
  }

  /** The page that was open stays open: what it showed of the guest's cart may still be removed from it. */
  async #signIn(device: number): Promise<boolean> {
    const [guestCartId, who] = [guests[device]!, this.#devices[device]!];
    if (who.cartId === guestCartId) this.#guestPages.set(guestCartId, structuredClone(who.page));
    this.#ledger.claimed(guestCartId, user);
    await this.world.claim(guestCartId, user);
    who.cartId = user;
    return true;
  }

  async #order({ cartId, page }: { readonly cartId: string; readonly page: Page }): Promise<boolean> {
    const seen = dotsOfPage(page);
    if (cartId !== user || seen.length === 0) return false;
    const dots = await this.world.prepare(cartId, seen);
    const orderId = `order-${this.#orders.length}`;
    if (dots === undefined || !this.#ledger.order(orderId, dots)) return false;
    this.#orders.push({ cartId, orderId, dots });
    return true;
  }

  async #repeat(nth: number): Promise<boolean> {
    const sent = this.#sent[nth];
    return sent !== undefined && (await this.world.send(sent)) !== undefined;
  }
}

function seenBy(page: Page, what: Command): readonly Dot[] {
  if (what.kind === 'clear') return dotsOfPage(page);
  if (what.kind === 'coupon' || what.kind === 'uncoupon') return page.coupons.get(what.code) ?? [];
  return page.lines.get(what.line) ?? [];
}

/** As a page does that keeps the newest `seen` of each line. */
function show(page: Page, what: Command, seenNow: readonly Dot[]): void {
  if (what.kind === 'clear') {
    page.lines.clear();
    page.coupons.clear();
  } else if (what.kind === 'coupon') page.coupons.set(what.code, [...(page.coupons.get(what.code) ?? []), ...seenNow]);
  else if (what.kind === 'uncoupon') page.coupons.delete(what.code);
  else if (what.kind === 'remove') page.lines.delete(what.line);
  else page.lines.set(what.line, seenNow);
}

/** One line a step, for whoever reads a counter-example. */
export function tell(one: Step): string {
  const who = 'device' in one ? deviceNames[one.device]! : '';
  switch (one.do) {
    case 'send':
      return `${who}${one.fresh ? ' reads its cart and' : ''} ${tellCommand(one.command)}`;
    case 'late':
      return `${who}, with a request from before it signed in, ${tellCommand(one.command)}`;
    case 'read':
      return `${who} reads its cart`;
    case 'sign-in':
      return `${who} signs in`;
    case 'steal':
      return `somebody else claims the guest cart of ${who}`;
    case 'order':
      return `${who}${one.fresh ? ' reads its cart and' : ''} orders what it sees`;
    case 'catch-up':
      return 'the projectors catch up';
    case 'confirm':
      return 'the orders are confirmed to the cart';
    case 'days':
      return `${one.count} days pass`;
    case 'repeat':
      return `command ${one.nth + 1} is sent again`;
    case 'project':
      return `the projector of ${one.cart}'s cart takes ${one.count}${one.fate === 'well' ? '' : ` and is ${one.fate.replaceAll('-', ' ')}`}`;
    case 'misdeliver':
      return `the projector of ${one.cart}'s cart is handed records ${one.by < 0 ? 'that it has had' : 'with one left out'}`;
    case 'wipe':
      return `the view of ${one.cart}'s cart is lost`;
  }
}

function tellCommand(what: Command): string {
  switch (what.kind) {
    case 'add':
      return `adds ${what.quantity} ${what.line}`;
    case 'set':
      return `sets ${what.line} to ${what.quantity}`;
    case 'remove':
      return `removes ${what.line}`;
    case 'clear':
      return 'empties the cart';
    case 'coupon':
      return `adds the coupon ${what.code}`;
    case 'uncoupon':
      return `removes the coupon ${what.code}`;
  }
}
