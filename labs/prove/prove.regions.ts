/**
 * Two regions, with a cart service and a log each. Copies of the logs cross as MirrorMaker writes them: as late as the history says, and some blocks
 * twice. A cut ocean is a copy that does not come for many steps. The home of the guest and of the user is eu: claims and orders are made there.
 */
import { mirroredTopic } from '@cloakroom/contracts';
import fc from 'fast-check';
import { couponsOf, emptyCart, linesOf, type CartState } from '../../apps/cart/src/model/cart.ts';
import { spell } from '../../apps/cart/src/model/spell-cart.harness.ts';
import { partitionOfCart } from '../../apps/cart/src/reads/consistency.ts';
import { cartTopics } from '../../apps/cart/src/cart.dependencies.ts';
import { commandOf } from './prove.history.ts';
import { Ledger } from './prove.ledger.ts';
import { dotsOfPage, emptyPage, guests, user, World, type Command, type Fate, type Page, type Sent } from './prove.world.ts';

const regionNames = ['eu', 'us'] as const;
const people = { user, guest: guests[0] } as const;
type Person = keyof typeof people;
type Which = 'own' | 'copy';

export type Crossing =
  /** Fresh: the person reads the page of that region again first. */
  | { readonly do: 'send'; readonly region: number; readonly who: Person; readonly command: Command; readonly fresh: boolean }
  /** A command is repeated in a region, word for word, or its id is used for other words. */
  | { readonly do: 'again'; readonly nth: number; readonly region: number }
  | { readonly do: 'clash'; readonly nth: number; readonly region: number; readonly of: 'its line' | 'another line' }
  | { readonly do: 'sign-in' }
  | { readonly do: 'order'; readonly fresh: boolean }
  | { readonly do: 'copy'; readonly to: number; readonly count: number; readonly again: number }
  | {
      readonly do: 'project';
      readonly region: number;
      readonly of: Which;
      readonly who: Person;
      readonly count: number;
      readonly fate: Fate;
    }
  | { readonly do: 'misdeliver'; readonly region: number; readonly of: Which; readonly who: Person; readonly by: number }
  | { readonly do: 'wipe'; readonly region: number; readonly who: Person }
  | { readonly do: 'days'; readonly count: number };

const region = fc.nat({ max: 1 });
const who = fc.constantFrom<Person>('user', 'user', 'guest');
const of = fc.constantFrom<Which>('own', 'copy');
const clashOf = fc.constantFrom('its line' as const, 'another line' as const);
const line = fc.constantFrom('hat', 'mug');
const quantity = fc.integer({ min: 1, max: 5 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), line, quantity }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), line, quantity }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), line }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('coupon' as const, 'uncoupon' as const), code: fc.constant('WINTER5') }) },
);
const fate = fc.constantFrom<Fate>('well', 'well', 'killed-after-forward', 'killed-before-write', 'killed-after-write', 'raced');
const crossing: fc.Arbitrary<Crossing> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), region, who, command, fresh: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('again' as const), nth: fc.nat({ max: 5 }), region }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clash' as const), nth: fc.nat({ max: 3 }), region, of: clashOf }) },
  { weight: 2, arbitrary: fc.constant({ do: 'sign-in' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('order' as const), fresh: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('copy' as const),
      to: region,
      count: fc.integer({ min: 1, max: 4 }),
      again: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('project' as const), region, of, who, count: fc.integer({ min: 1, max: 3 }), fate }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('misdeliver' as const), region, of, who, by: fc.constantFrom(-2, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wipe' as const), region, who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('days' as const), count: fc.constantFrom(3, 46) }) },
);
export const crossings = fc.array(crossing, { minLength: 1, maxLength: 24, size: 'max' });

export class TwoRegions {
  readonly #worlds: readonly [World, World];
  readonly #ledger = new Ledger();
  readonly #sent: Sent[] = [];
  readonly #orders: { readonly cartId: string; readonly orderId: string; readonly dots: readonly string[] }[] = [];
  readonly #pages = new Map<string, Page>();
  /** Then the ledger cannot say what must come of it: only that both regions find the same. */
  #clashed = false;
  #daysPassed = false;

  private constructor(worlds: readonly [World, World]) {
    this.#worlds = worlds;
  }

  static async open(): Promise<TwoRegions> {
    return new TwoRegions([await World.open('eu', ['us']), await World.open('us', ['eu'])]);
  }

  async close(): Promise<void> {
    for (const world of this.#worlds) await world.close();
  }

  /** @returns whether the step did anything */
  async run(one: Crossing): Promise<boolean> {
    const [home] = this.#worlds;
    switch (one.do) {
      case 'send':
        if (one.fresh) await this.#read(one.region, people[one.who]);
        return this.#send(one.region, people[one.who], one.command);
      case 'again': {
        const sent = this.#sent[one.nth];
        return sent !== undefined && (await this.#deliver(one.region, sent)) !== undefined;
      }
      case 'clash':
        return this.#clash(one);
      case 'sign-in':
        this.#ledger.claimed(people.guest, user);
        await home.claim(people.guest, user);
        return true;
      case 'order':
        return this.#order(one.fresh);
      case 'copy':
        return this.#at(one.to).copy(this.#at(1 - one.to), one.count, one.again);
      case 'project':
        return this.#at(one.region).project(people[one.who], one.count, one.fate, this.#topic(one.region, one.of));
      case 'misdeliver':
        await this.#at(one.region).misdeliver(people[one.who], one.by, this.#topic(one.region, one.of));
        return true;
      case 'wipe':
        await this.#at(one.region).wipe(people[one.who]);
        return true;
      case 'days':
        for (const world of this.#worlds) world.passDays(one.count);
        this.#daysPassed = true;
        return true;
    }
  }

  /** The ocean is healed: everything arrives, and is checked. Then both views are lost, are built again from both logs, and are checked again. */
  async end(): Promise<void> {
    for (const { cartId, orderId, dots } of this.#orders) await this.#worlds[0].confirm(cartId, orderId, dots);
    await this.#heal();
    await this.#check('after the heal');
    for (const world of this.#worlds) for (const cartId of Object.values(people)) await world.wipe(cartId);
    await this.#heal(2);
    await this.#check('after a replay of both logs');
  }

  async #heal(count?: number): Promise<void> {
    const [eu, us] = this.#worlds;
    let again = true;
    while (again) {
      const moved = [await eu.copy(us, 1_000), await us.copy(eu, 1_000), await eu.drain(count), await us.drain(count)];
      again = moved.includes(true);
    }
  }

  async #check(when: string): Promise<void> {
    for (const cartId of Object.values(people)) {
      const [eu, us] = [await this.#stateAt(0, cartId), await this.#stateAt(1, cartId)];
      if (!this.#clashed) this.#checkAgainstLedger(when, cartId, eu, us);
      const [here, there] = [shown(eu), shown(us)];
      if (here !== there) throw new Error(`${when}: eu shows ${here}, and us ${there}`);
      // Each region forgets deaths when it next writes the cart.
      if (!this.#daysPassed && !this.#clashed && spell(eu) !== spell(us))
        throw new Error(`${when}: eu holds ${spell(eu)}, and us ${spell(us)}`);
    }
  }

  #checkAgainstLedger(when: string, cartId: string, ...states: readonly CartState[]): void {
    for (const [index, state] of states.entries()) {
      const living = new Set([...linesOf(state), ...couponsOf(state)].flatMap(({ dots }) => dots.map(commandOf)));
      const fault = this.#ledger.faultOf(cartId, living);
      if (fault !== undefined) throw new Error(`${when}, in ${regionNames[index]}: ${fault}`);
      const due = JSON.stringify(this.#ledger.quantitiesOf(cartId, living));
      const here = JSON.stringify(Object.fromEntries(linesOf(state).map(({ lineId, quantity }) => [lineId, quantity])));
      if (here !== due) throw new Error(`${when}, in ${regionNames[index]}: shows ${here}, and each command once makes ${due}`);
    }
  }

  async #stateAt(at: number, cartId: string): Promise<CartState> {
    const { parts } = this.#at(at);
    return (await parts.view.load(partitionOfCart(parts, cartId), [cartId])).carts.get(cartId)?.state ?? emptyCart(cartId);
  }

  #at(index: number): World {
    return this.#worlds[index]!;
  }

  #topic(at: number, which: Which): string {
    return which === 'own' ? cartTopics.events.name : mirroredTopic(cartTopics.events, regionNames[1 - at]!).name;
  }

  #page(at: number, cartId: string): Page {
    const key = `${at} ${cartId}`;
    const known = this.#pages.get(key) ?? emptyPage();
    this.#pages.set(key, known);
    return known;
  }

  async #read(at: number, cartId: string): Promise<void> {
    const { page, stale } = await this.#at(at).read(cartId);
    if (!stale) this.#pages.set(`${at} ${cartId}`, page);
  }

  async #send(at: number, cartId: string, what: Command): Promise<boolean> {
    const page = this.#page(at, cartId);
    const seen = seenBy(page, what);
    if (seen.length === 0 && (what.kind === 'remove' || what.kind === 'clear' || what.kind === 'uncoupon')) return false;
    // One region makes all ids, so that no two commands have one.
    const sent = { cartId, commandId: this.#at(0).newId(), command: what, seen };
    const seenNow = await this.#deliver(at, sent);
    if (seenNow === undefined) return false;
    if (what.kind === 'add' || what.kind === 'set') page.lines.set(what.line, seenNow);
    return true;
  }

  async #deliver(at: number, sent: Sent): Promise<readonly string[] | undefined> {
    const seenNow = await this.#at(at).send(sent);
    if (seenNow === undefined) return undefined;
    this.#ledger.acknowledged(sent);
    this.#sent.push(sent);
    return seenNow;
  }

  async #clash({ nth, region: at, of: where }: Extract<Crossing, { do: 'clash' }>): Promise<boolean> {
    const sent = this.#sent[nth];
    if (sent?.command.kind !== 'add') return false;
    const { line: known, quantity: count } = sent.command;
    const other = where === 'its line' ? { line: known, quantity: count + 1 } : { line: known === 'hat' ? 'mug' : 'hat', quantity: count };
    const taken = await this.#at(at).send({ ...sent, command: { kind: 'add', ...other } });
    this.#clashed ||= taken !== undefined;
    return taken !== undefined;
  }

  async #order(fresh: boolean): Promise<boolean> {
    if (fresh) await this.#read(0, user);
    const seen = dotsOfPage(this.#page(0, user));
    const prepared = seen.length === 0 ? undefined : await this.#at(0).prepare(user, seen);
    if (prepared === undefined || !this.#ledger.order(user, prepared.dots)) return false;
    this.#orders.push({ cartId: user, orderId: `order-${this.#orders.length}`, dots: prepared.dots });
    return true;
  }
}

function seenBy(page: Page, what: Command): readonly string[] {
  if (what.kind === 'clear') return dotsOfPage(page);
  if (what.kind === 'coupon' || what.kind === 'uncoupon') return page.coupons.get(what.code) ?? [];
  return page.lines.get(what.line) ?? [];
}

const shown = (state: CartState): string =>
  JSON.stringify([...linesOf(state), ...couponsOf(state)].map((one) => ({ ...one, dots: one.dots.toSorted() })));

/** One line per step, for the reader of a counter-example. */
export function tellCrossing(one: Crossing): string {
  const at = 'region' in one ? `in ${regionNames[one.region]}` : '';
  switch (one.do) {
    case 'send':
      return `${at} the ${one.who}${one.fresh ? ', with a new page,' : ''} sends ${JSON.stringify(one.command)}`;
    case 'again':
      return `${at} command ${one.nth + 1} is sent again`;
    case 'clash':
      return `${at} the id of command ${one.nth + 1} is sent with more of ${one.of}`;
    case 'sign-in':
      return 'the guest signs in as the user';
    case 'order':
      return `the user orders in eu what ${one.fresh ? 'a new page' : 'the page'} shows`;
    case 'copy':
      return `${one.count} records are copied to ${regionNames[one.to]}${one.again > 0 ? `, and the ${one.again} before them again` : ''}`;
    case 'project':
      return `${at} the projector takes ${one.count} of the ${one.who}’s records, ${one.of === 'own' ? 'own' : 'copied'}${one.fate === 'well' ? '' : `, and is ${one.fate.replaceAll('-', ' ')}`}`;
    case 'misdeliver':
      return `${at} the projector is handed ${one.of === 'own' ? 'own' : 'copied'} records ${one.by < 0 ? 'that it has had' : 'with one left out'}`;
    case 'wipe':
      return `${at} the view of the ${one.who}’s cart is lost`;
    case 'days':
      return `${one.count} days pass`;
  }
}
