/**
 * A small world for the proof. It has the real use cases, the real rules of the projector (project-batch.ts, rebuild.ts), the view in memory and the
 * embedded log. Only the schedule is generated: the times of reads, the batches that are projected, and the kills in between.
 */
/* oxlint-disable max-lines -- Longer because it plays every use case of a cart, and imports each from its file. */
import {
  formatUuid,
  isProblem,
  mirroredTopic,
  partitionOf,
  recordHeaders,
  topics,
  uuidV7,
  type Problem,
  type TopicSpec,
} from '@cloakroom/contracts';
import { EmbeddedEventLog, EventLogError, RetryLater, type LogRecord, type PartitionLag, type RecordBatch } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';
import { addItem } from '../../apps/cart/src/commands/add-item.ts';
import { applyCoupon } from '../../apps/cart/src/commands/apply-coupon.ts';
import { personContext, quiet } from '../../apps/cart/src/cart.harness.ts';
import { dotOf, evolveInBatch, type CartEvent, type Dot } from '../../apps/cart/src/model/cart.ts';
import { MemoryCartView } from '../../apps/cart/src/projection/cart.view.memory.ts';
import { ViewUnavailable, type Place } from '../../apps/cart/src/projection/cart.view.ts';
import { clearCart } from '../../apps/cart/src/commands/clear-cart.ts';
import { encodeEvent } from '../../apps/cart/src/model/codec.ts';
import { getCart } from '../../apps/cart/src/reads/get-cart.ts';
import { cartTopics, type CartParts, type CartTopics } from '../../apps/cart/src/cart.dependencies.ts';
import { namedLog } from '../../apps/cart/src/projection/named-log.ts';
import { CarriedCarts } from '../../apps/cart/src/projection/carried-carts.ts';
import { prepareOrder } from '../../apps/cart/src/reads/prepare-order.ts';
import { projectBatch } from '../../apps/cart/src/projection/project-batch.ts';
import { settlePartitions } from '../../apps/cart/src/projection/rebuild.ts';
import { removeCoupon } from '../../apps/cart/src/commands/remove-coupon.ts';
import { removeItem } from '../../apps/cart/src/commands/remove-item.ts';
import { decodeSeen, encodeSeen } from '../../apps/cart/src/model/seen.ts';
import { setQuantity } from '../../apps/cart/src/commands/set-quantity.ts';

export const partitionOfCartId = (cartId: string): number => partitionOf(cartId, topics.cartEvents);
const another = (prefix: string, fits: (partition: number) => boolean): string => {
  for (let n = 0; ; n++) if (fits(partitionOfCartId(`${prefix}${n}`))) return `${prefix}${n}`;
};
/** Two people and two guest carts: one shares its user's partition, one does not. */
export const user = 'u_1';
export const stranger = another('u_x', (partition) => partition !== partitionOfCartId(user));
export const guests = [
  another('g_a', (partition) => partition !== partitionOfCartId(user)),
  another('g_b', (partition) => partition === partitionOfCartId(user)),
] as const;

const partitionsOfCarts = [...new Set([user, stranger, ...guests].map(partitionOfCartId))];

export type Command =
  | { readonly kind: 'add' | 'set'; readonly line: string; readonly quantity: number }
  | { readonly kind: 'remove'; readonly line: string }
  | { readonly kind: 'clear' }
  | { readonly kind: 'coupon'; readonly code: string }
  | { readonly kind: 'uncoupon'; readonly code: string };

/** The dots of the lines and coupons that a device shows. */
export interface Page {
  readonly lines: Map<string, readonly Dot[]>;
  readonly coupons: Map<string, readonly Dot[]>;
}

export const emptyPage = (): Page => ({ lines: new Map(), coupons: new Map() });
export const dotsOfPage = ({ lines, coupons }: Page): Dot[] => [...lines.values(), ...coupons.values()].flat();

export interface Sent {
  readonly cartId: string;
  readonly commandId: string;
  readonly command: Command;
  readonly seen: readonly Dot[];
}

/** The fate of a projector's batch. Killed: its memory is lost, and its batch comes again. */
export type Fate = 'well' | 'killed-before-forward' | 'killed-after-forward' | 'killed-before-write' | 'killed-after-write' | 'raced';

const dayMs = 24 * 60 * 60 * 1000;
/** Any day will do, as long as every run has the same one. */
const beginMs = Date.UTC(2026, 0, 1);
const allRecords = 1_000;

export class World {
  readonly #log: EmbeddedEventLog;
  readonly #view = new MemoryCartView();
  /** By topic and partition. */
  readonly #records = new Map<string, LogRecord[]>();
  readonly #committed = new Map<string, number>();
  /** Two members take the batches in turn. So what one of them carries is most often old, and must not show. */
  readonly #members = [new CarriedCarts(), new CarriedCarts()] as const;
  readonly #copied = new Map<string, number>();
  #turns = 0;
  #nowMs = beginMs;
  #made = 0;
  #logId = '';
  readonly #clock: Clock = { nowMs: () => this.#nowMs, monotonicMs: () => this.#nowMs };
  readonly parts: CartParts;
  readonly #reading;

  /** @param others regions whose logs arrive here as copies. @param changed the parts with another model of carts in them */
  private constructor(region: string, others: readonly string[], changed: (parts: CartParts) => CartParts) {
    const mirrors = others.map((other) => ({ region: other, events: mirroredTopic(cartTopics.events, other) }));
    const topicsHere: CartTopics = mirrors.length === 0 ? cartTopics : { ...cartTopics, mirrors };
    this.#log = new EmbeddedEventLog({ log: quiet, clock: this.#clock });
    const publish: CartParts['eventLog']['publish'] = async (topic, records) => {
      const positions = await this.#log.publish(topic, records);
      if (topic.name !== cartTopics.events.name) return positions;
      for (const [index, { key, value, headers = {} }] of records.entries()) {
        const { partition, offset } = positions[index]!;
        this.#recordsOf(topic.name, partition).push({
          topic: topic.name,
          partition,
          offset,
          key,
          value,
          headers,
          timestampMs: this.#nowMs,
        });
      }
      return positions;
    };
    const lag: CartParts['eventLog']['lag'] = (_, { name: topic }) => Promise.resolve(this.#lag(topic));
    const eventLog = namedLog(override(this.#log, { publish, lag }), topicsHere);
    this.parts = changed({ eventLog, view: this.#view, clock: this.#clock, log: quiet, topics: topicsHere, region, evolve: evolveInBatch });
    this.#reading = {
      ...this.parts,
      projector: { heardAgoMs: () => 0, realignSoon: () => undefined, ends: { standing: () => undefined, now: () => Promise.resolve(0n) } },
    };
  }

  static async open(region = 'local', others: readonly string[] = [], changed = (parts: CartParts): CartParts => parts): Promise<World> {
    const world = new World(region, others, changed);
    await world.#log.ensureTopics([cartTopics.events, cartTopics.snapshots, ...world.#copies]);
    world.#logId = (await world.#log.describe()).clusterId;
    await world.#settle(partitionsOfCarts);
    return world;
  }

  get #copies(): readonly TopicSpec[] {
    return (this.parts.topics.mirrors ?? []).map(({ events }) => events);
  }

  /**
   * Does as MirrorMaker: appends the next records of the other region's log to the copy here, in order, with their origin in the headers.
   * @param again so many that were copied before come once more, as after a crash of MirrorMaker
   * @returns whether there was a new one
   */
  async copy(from: World, count: number, again = 0): Promise<boolean> {
    const topic = mirroredTopic(cartTopics.events, from.parts.region);
    let copied = false;
    for (const partition of partitionsOfCarts) {
      const all = from.#recordsOf(cartTopics.events.name, partition);
      const key = `${topic.name}:${partition}`;
      const reached = this.#copied.get(key) ?? 0;
      for (const record of all.slice(Math.max(0, reached - again), reached + count)) {
        const place = { [recordHeaders.logPartition]: String(partition), [recordHeaders.logOffset]: String(record.offset) };
        const headers = {
          ...record.headers,
          ...Object.fromEntries(Object.entries(place).map(([name, text]) => [name, Buffer.from(text)])),
        };
        const [position] = await this.#log.publish(topic, [{ key: record.key, value: record.value, headers, partition }]);
        this.#recordsOf(topic.name, partition).push({ ...record, topic: topic.name, headers, offset: position!.offset });
      }
      copied ||= reached < all.length;
      this.#copied.set(key, Math.min(all.length, reached + count));
    }
    return copied;
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  passDays(count: number): void {
    this.passMs(count * dayMs);
  }

  passMs(count: number): void {
    this.#nowMs += count;
  }

  newId(): string {
    this.#nowMs += 1;
    const random = new Uint8Array(10);
    new DataView(random.buffer).setUint32(6, ++this.#made);
    return uuidV7(this.#nowMs, random);
  }

  /** @returns undefined when the cart refused it */
  async send({ cartId, commandId, command, seen }: Sent): Promise<readonly Dot[] | undefined> {
    const ctx = personContext(cartId, { budgetMs: Number.POSITIVE_INFINITY, clock: this.#clock });
    const common = { commandId, seen: encodeSeen(seen) };
    const answer = await this.#answerTo(ctx, common, command);
    return isProblem(answer) ? undefined : dotsOf(answer.seen);
  }

  #answerTo(
    ctx: ReturnType<typeof personContext>,
    common: { readonly commandId: string; readonly seen: string },
    command: Command,
  ): Promise<{ seen?: string } | Problem> {
    switch (command.kind) {
      case 'add':
        return addItem(this.parts, ctx, { ...common, productId: command.line, options: [], quantity: command.quantity });
      case 'set':
        return setQuantity(this.parts, ctx, { ...common, lineId: command.line, quantity: command.quantity });
      case 'remove':
        return removeItem(this.parts, ctx, { ...common, lineId: command.line });
      case 'clear':
        return clearCart(this.parts, ctx, common);
      case 'coupon':
        return applyCoupon(this.parts, ctx, { commandId: common.commandId, code: command.code });
      case 'uncoupon':
        return removeCoupon(this.parts, ctx, { ...common, code: command.code });
    }
  }

  async read(cartId: string): Promise<{ page: Page; quantities: Record<string, number>; stale: boolean }> {
    const cart = await getCart(this.#reading, personContext(cartId, { clock: this.#clock }), { claimedGuestCart: '' });
    if (isProblem(cart)) throw new Error(`a read was refused: ${cart.problem}`);
    const lines = cart.lines ?? [];
    return {
      page: {
        lines: new Map(lines.map(({ lineId = '', seen }) => [lineId, dotsOf(seen)])),
        coupons: new Map((cart.coupons ?? []).map(({ code = '', seen }) => [code, dotsOf(seen)])),
      },
      quantities: Object.fromEntries(lines.map(({ lineId = '', quantity = 0 }) => [lineId, quantity])),
      stale: cart.stale ?? false,
    };
  }

  /** @returns the dots that orders would freeze, and the quantities it would charge for; undefined where it would refuse */
  async prepare(cartId: string, seen: readonly Dot[]): Promise<{ dots: readonly Dot[]; quantities: Record<string, number> } | undefined> {
    const prepared = await prepareOrder(this.#reading, personContext(cartId, { clock: this.#clock }), { seen: encodeSeen(seen) });
    if (isProblem(prepared) || prepared.changed === true || prepared.stale === true) return undefined;
    const lines = prepared.lines ?? [];
    return {
      dots: [...lines, ...(prepared.coupons ?? [])].flatMap(({ dots = [] }) =>
        dots.map((dot) => dotOf(dot.cartId ?? '', formatUuid(dot.commandId ?? new Uint8Array()))),
      ),
      quantities: Object.fromEntries(
        lines.map(({ lineId = '', quantity = 0 }) => [lineId, quantity] as const).sort(([one], [other]) => (one < other ? -1 : 1)),
      ),
    };
  }

  async append(event: CartEvent): Promise<void> {
    const { value, headers } = encodeEvent(event);
    await this.parts.eventLog.publish(cartTopics.events, [{ key: event.cartId, value, headers }]);
  }

  claim(guestCartId: string, userCartId: string): Promise<void> {
    const cart = { cartId: guestCartId, atMs: this.#nowMs };
    return this.append({ ...cart, type: 'GuestCartClaimed', userCartId, claimEventId: this.newId() });
  }

  confirm(cartId: string, orderId: string, dots: readonly Dot[]): Promise<void> {
    return this.append({ type: 'OrderPlaced', cartId, atMs: this.#nowMs, orderId, dots });
  }

  /** Hands over the next records of a cart's partition. @returns whether there were any */
  async project(cartId: string, count: number, fate: Fate = 'well', topic = cartTopics.events.name): Promise<boolean> {
    const partition = partitionOfCartId(cartId);
    const from = this.#committed.get(`${topic}:${partition}`) ?? 0;
    if (from >= this.#recordsOf(topic, partition).length) return false;
    const batch = this.#batch(topic, partition, from, count);
    const taken = fate === 'raced' ? [batch, this.#batch(topic, partition, from, count + 1)] : [batch];
    const outcomes = await Promise.all(taken.map((one) => this.#take(one, fate)));
    const [outcome] = outcomes;
    if (fate === 'raced' || outcome === 'killed') return true;
    await this.#commit(batch, outcome!);
    return true;
  }

  /** Hands over records out of turn. */
  async misdeliver(cartId: string, by: number, topic = cartTopics.events.name): Promise<void> {
    const partition = partitionOfCartId(cartId);
    const from = Math.max(0, (this.#committed.get(`${topic}:${partition}`) ?? 0) + by);
    if (from >= this.#recordsOf(topic, partition).length) return;
    const batch = this.#batch(topic, partition, from, 2);
    await this.#commit(batch, await this.#take(batch, 'well'));
  }

  async wipe(cartId: string): Promise<void> {
    const partition = partitionOfCartId(cartId);
    await this.#view.reset(partition);
    await this.#settle([partition]);
  }

  /** Projects until no projector has work left, including records that are forwarded meanwhile. @returns whether there was any work */
  async drain(count = allRecords): Promise<boolean> {
    const carts = [user, stranger, ...guests];
    let [again, any] = [true, false];
    while (again) {
      again = false;
      for (const topic of [cartTopics.events, ...this.#copies])
        for (const cartId of carts) if (await this.project(cartId, count, 'well', topic.name)) again = true;
      any ||= again;
    }
    return any;
  }

  async #take(batch: RecordBatch, fate: Fate): Promise<bigint | 'elsewhere' | 'killed'> {
    try {
      const projected = await projectBatch(this.#projecting(fate), this.#logId, batch, this.#members[this.#turn()]);
      if (fate === 'killed-after-write') return 'killed';
      return projected.outcome === 'applied' ? projected.next : 'elsewhere';
    } catch (error) {
      if (error instanceof RetryLater) return 'killed';
      throw error;
    }
  }

  /** One member takes two batches, then the other one. So each also meets what it has written itself. */
  #turn(): 0 | 1 {
    return this.#turns++ % 4 < 2 ? 0 : 1;
  }

  /** The parts as a projector with this fate meets them. */
  #projecting(fate: Fate): CartParts {
    const { eventLog, view } = this.parts;
    const lost = () => new EventLogError('retriable', 'killed', { outcomeUnknown: true });
    const publish: typeof eventLog.publish = async (topic, records) => {
      if (fate === 'killed-before-forward') throw lost();
      const positions = await eventLog.publish(topic, records);
      if (fate === 'killed-after-forward') throw lost();
      return positions;
    };
    const apply: typeof view.apply = (partition, change) =>
      fate === 'killed-before-write' ? Promise.reject(new ViewUnavailable('killed')) : view.apply(partition, change);
    return { ...this.parts, eventLog: override(eventLog, { publish }), view: override(view, { apply }) };
  }

  async #commit({ topic, partition }: RecordBatch, outcome: bigint | 'elsewhere' | 'killed'): Promise<void> {
    if (outcome === 'killed') return;
    if (outcome === 'elsewhere') this.#seek(partition, (await this.#view.places([partition])).get(partition)!);
    else this.#committed.set(`${topic}:${partition}`, Number(outcome));
  }

  #seek(partition: number, { next, mirrors = [] }: Place): void {
    this.#committed.set(`${cartTopics.events.name}:${partition}`, Number(next));
    for (const of of mirrors) this.#committed.set(`${mirroredTopic(cartTopics.events, of.region).name}:${partition}`, Number(of.next));
  }

  async #settle(partitions: readonly number[]): Promise<void> {
    const settled = await settlePartitions(this.parts, this.#logId, 'cart-projector', partitions);
    for (const [partition, place] of settled) this.#seek(partition, place);
  }

  #batch(topic: string, partition: number, from: number, count: number): RecordBatch {
    const all = this.#recordsOf(topic, partition);
    const records = all.slice(from, from + count);
    return { topic, partition, records, highWatermark: BigInt(all.length), fetchStartedMs: this.#nowMs };
  }

  /** As the projector's group has committed. So a view that was lost knows what was forwarded before. */
  #lag(topic: string): PartitionLag[] {
    return partitionsOfCarts.map((partition) => {
      const committed = this.#committed.get(`${topic}:${partition}`) ?? 0;
      return { topic, partition, records: BigInt(this.#recordsOf(topic, partition).length - committed) };
    });
  }

  #recordsOf(topic: string, partition: number): LogRecord[] {
    const key = `${topic}:${partition}`;
    const known = this.#records.get(key) ?? [];
    this.#records.set(key, known);
    return known;
  }
}

function dotsOf(seen: string | undefined): readonly Dot[] {
  const dots = decodeSeen(seen ?? '');
  if (isProblem(dots)) throw new Error('a `seen` of our own cannot be read');
  return dots;
}

/** The port with some of its methods replaced. The others keep their private state. */
export function override<T extends object>(port: T, methods: Partial<T>): T {
  return new Proxy(port, {
    get(target, key) {
      const own: unknown = Reflect.get(methods, key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
