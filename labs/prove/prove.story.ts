/**
 * Runs the steps of one history of the world (prove.steps.ts). A step that makes no sense at its place does nothing. An example is the removal of a
 * line that the page does not show.
 */
import { couponsOf, linesOf, type Dot } from '../../apps/cart/src/model/cart.ts';
import { partitionOfCart } from '../../apps/cart/src/reads/consistency.ts';
import { commandOf } from './prove.history.ts';
import { Ledger } from './prove.ledger.ts';
import { cartNames, type Step } from './prove.steps.ts';
import { dotsOfPage, emptyPage, guests, stranger, user, World, type Command, type Page, type Sent } from './prove.world.ts';

interface Device {
  cartId: string;
  page: Page;
  /** A command that was sent, and never answered. */
  pending: Sent | undefined;
  /** A command that has not reached the log yet. */
  underWay: Sent | undefined;
}

interface Order {
  readonly cartId: string;
  readonly orderId: string;
  readonly dots: readonly Dot[];
}

export class Telling {
  readonly world: World;
  readonly #ledger = new Ledger();
  readonly #devices: Device[];
  readonly #guestPages = new Map<string, Page>();
  readonly #sent: Sent[] = [];
  readonly #orders: Order[] = [];

  private constructor(world: World) {
    this.world = world;
    this.#devices = [guests[0], guests[1], user, user].map((cartId) => ({
      cartId,
      page: emptyPage(),
      pending: undefined,
      underWay: undefined,
    }));
  }

  static async open(): Promise<Telling> {
    return new Telling(await World.open());
  }

  /** @returns whether the step did anything */
  async run(one: Step): Promise<boolean> {
    switch (one.do) {
      case 'send': {
        if (one.fresh) await this.#read(this.#devices[one.device]!);
        const { cartId, page } = this.#devices[one.device]!;
        return this.#send(cartId, page, one.command);
      }
      case 'lose':
        return this.#lose(this.#devices[one.device]!, one.command, one.held);
      case 'arrive':
        return this.#arrive(this.#devices[one.device]!);
      case 'again':
        return this.#again(this.#devices[one.device]!);
      case 'sign-out':
        return signOut(this.#devices[one.device]!, one.next);
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
        return this.world.drain();
      case 'confirm':
        for (const { cartId, orderId, dots } of this.#orders) await this.world.confirm(cartId, orderId, dots);
        return this.#orders.length > 0;
      case 'days':
        this.world.passDays(one.count);
        return true;
      case 'repeat':
        return this.#repeat(one.nth, one.as);
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

  /** Delivers everything and checks. Then it loses the whole view, replays the log, and checks again. @throws the fault */
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
      const living = await this.#livingIn(cartId);
      const fault = this.#ledger.faultOf(cartId, living);
      if (fault !== undefined) throw new Error(`${when}: ${fault}`);
      const [shown, due] = [(await this.world.read(cartId)).quantities, this.#ledger.quantitiesOf(cartId, living)].map((of) =>
        JSON.stringify(of),
      );
      if (shown !== due) throw new Error(`${when}: shows ${shown}, and each command once makes ${due}`);
    }
  }

  async #livingIn(cartId: string): Promise<ReadonlySet<string>> {
    const { parts } = this.world;
    const cart = (await parts.view.load(partitionOfCart(parts, cartId), [cartId])).carts.get(cartId);
    if (cart === undefined) return new Set();
    return new Set([...linesOf(cart.state), ...couponsOf(cart.state)].flatMap(({ dots }) => dots.map(commandOf)));
  }

  async #send(cartId: string, page: Page, what: Command): Promise<boolean> {
    const sent = this.#commandOn(cartId, page, what);
    const seenNow = sent && (await this.#deliver(sent));
    if (seenNow === undefined) return false;
    show(page, what, seenNow);
    return true;
  }

  /** Undefined where the page shows nothing that the command could refer to. */
  #commandOn(cartId: string, page: Page, what: Command): Sent | undefined {
    const seen = seenBy(page, what);
    if (seen.length === 0 && what.kind !== 'add' && what.kind !== 'set' && what.kind !== 'coupon') return undefined;
    return { cartId, commandId: this.world.newId(), command: what, seen };
  }

  /** A command in the log is due, whether or not its client hears the answer. */
  async #deliver(sent: Sent): Promise<readonly Dot[] | undefined> {
    const seenNow = await this.world.send(sent);
    if (seenNow === undefined) return undefined;
    this.#ledger.acknowledged(sent);
    this.#sent.push(sent);
    return seenNow;
  }

  /** A device has one command without an answer at a time, since the page does not show its result. */
  async #lose(device: Device, what: Command, held: boolean): Promise<boolean> {
    const sent = device.pending === undefined ? this.#commandOn(device.cartId, device.page, what) : undefined;
    if (sent === undefined) return false;
    if (held) device.underWay = sent;
    else if ((await this.#deliver(sent)) === undefined) return false;
    device.pending = sent;
    return true;
  }

  async #arrive(device: Device): Promise<boolean> {
    const { underWay } = device;
    device.underWay = undefined;
    return underWay !== undefined && (await this.#deliver(underWay)) !== undefined;
  }

  async #again(device: Device): Promise<boolean> {
    const { pending, cartId, page } = device;
    if (pending === undefined) return false;
    device.pending = undefined;
    const seenNow = await this.#deliver({ ...pending, cartId });
    if (seenNow === undefined) return false;
    show(page, pending.command, seenNow);
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

  /** The open page stays open: a person may still remove the lines of the guest's cart that it showed. */
  async #signIn(device: number): Promise<boolean> {
    const [guestCartId, who] = [guests[device]!, this.#devices[device]!];
    if (who.cartId === stranger) who.pending = undefined;
    if (who.cartId === guestCartId) this.#guestPages.set(guestCartId, structuredClone(who.page));
    this.#ledger.claimed(guestCartId, user);
    await this.world.claim(guestCartId, user);
    who.cartId = user;
    return true;
  }

  async #order({ cartId, page }: { readonly cartId: string; readonly page: Page }): Promise<boolean> {
    const seen = dotsOfPage(page);
    if (guests.some((guest) => guest === cartId) || seen.length === 0) return false;
    const prepared = await this.world.prepare(cartId, seen);
    if (prepared === undefined || !this.#ledger.order(cartId, prepared.dots)) return false;
    const { dots, quantities } = prepared;
    const [charged, due] = [quantities, this.#ledger.quantitiesOf(cartId, dots.map(commandOf))].map((of) => JSON.stringify(of));
    if (charged !== due) throw new Error(`an order is of ${charged}, and each command once makes ${due}`);
    this.#orders.push({ cartId, orderId: `order-${this.#orders.length}`, dots });
    return true;
  }

  async #repeat(nth: number, as: 'itself' | 'user' | 'stranger'): Promise<boolean> {
    const sent = this.#sent[nth];
    if (sent === undefined) return false;
    const cartId = as === 'itself' ? sent.cartId : as === 'user' ? user : stranger;
    return (await this.#deliver({ ...sent, cartId })) !== undefined;
  }
}

/** The page forgets the lines it showed. If the same person signs in again, it keeps its unanswered command. */
function signOut(device: Device, next: 'itself' | 'stranger'): boolean {
  if (guests.some((guest) => guest === device.cartId)) return false;
  device.page = emptyPage();
  if (next === 'stranger') {
    device.cartId = stranger;
    device.pending = undefined;
  }
  return true;
}

function seenBy(page: Page, what: Command): readonly Dot[] {
  if (what.kind === 'clear') return dotsOfPage(page);
  if (what.kind === 'coupon' || what.kind === 'uncoupon') return page.coupons.get(what.code) ?? [];
  return page.lines.get(what.line) ?? [];
}

/** Updates the page as the web app does, which keeps the newest `seen` of each line. */
function show(page: Page, what: Command, seenNow: readonly Dot[]): void {
  if (what.kind === 'clear') {
    page.lines.clear();
    page.coupons.clear();
  } else if (what.kind === 'coupon') page.coupons.set(what.code, [...(page.coupons.get(what.code) ?? []), ...seenNow]);
  else if (what.kind === 'uncoupon') page.coupons.delete(what.code);
  else if (what.kind === 'remove') page.lines.delete(what.line);
  else page.lines.set(what.line, seenNow);
}
