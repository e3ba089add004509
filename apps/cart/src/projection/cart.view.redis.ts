/**
 * The view in Redis, one server or a cluster. All keys of a partition share the hash tag `{cart:<partition>}`. So they are in one slot, and
 * one Lua call names them all. While the slot moves to another node, Redis refuses a call whose keys it cannot all see (TRYAGAIN), and the
 * projector tries again.
 *
 * Subtlety: one script writes the carts and the watermark. So a rolled-back or wiped Redis (AOF everysec, failover, FLUSHALL) rolls both
 * back together. The projector then finds a place that is not the one it left, and replays from there. The server must not evict
 * (`maxmemory-policy noeviction`): the projector would not notice a lost cart whose watermark is still there. So no key here expires
 * either.
 */
import { LRUCache } from 'lru-cache';
import { inCallSpan, type Logger } from '@cloakroom/platform';
import { openRedisByUrl, redisReady, type RedisConnection } from '@cloakroom/platform/redis';
import { mirrorsText, reach, type CartNotice, type CartView, type Change, type MirrorPlace, type Place } from './cart.view.ts';
import { decodeCart, encodeCart, type CartRecord } from '../model/codec.ts';
import { cartKey, changedChannel, dueKey, placeKey, servingKey } from './cart.view.keys.ts';
import { dropSpace } from './cart.view.replay.ts';
import { NoticeBoard } from './notice-board.ts';
import { RedisTurn } from './cart.view.turn.ts';

/**
 * The only write. KEYS: serving, place, due, then one key for each cart.
 * ARGV: '=' when the space must serve, or '~' when it must not serve yet. Then name, space, expected place, new place, channel or '', then (bytes, due score or '', cart id, traceparent or '') for each cart.
 * Carts are strings and not a hash, so that one MGET reads the carts of a batch together with the place.
 */
const applyScript = `#!lua
local serves = (redis.call('GET', KEYS[1]) or ARGV[2]) == ARGV[3]
if serves ~= (ARGV[1] == '=') then return 0 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[4] then return 0 end
local changed = {}
for i = 4, #KEYS do
  local at = 7 + (i - 4) * 4
  redis.call('SET', KEYS[i], ARGV[at])
  if ARGV[at + 1] == '' then redis.call('ZREM', KEYS[3], ARGV[at + 2]) else redis.call('ZADD', KEYS[3], ARGV[at + 1], ARGV[at + 2]) end
  changed[#changed + 1] = ARGV[at + 2]
  if ARGV[at + 3] ~= '' then changed[#changed + 1] = ARGV[at + 3] end
end
if ARGV[5] ~= '' then
  redis.call('SET', KEYS[2], ARGV[5])
  if #changed > 0 and ARGV[6] ~= '' then
    redis.call('PUBLISH', ARGV[6], string.match(ARGV[5], '^%d+') .. '\\n' .. table.concat(changed, '\\n'))
  end
end
return 1
`;

const redisCall = { 'db.system.name': 'redis' } as const;

type ViewRedis = RedisConnection & { applyCarts(keyCount: number, ...args: (string | Buffer)[]): Promise<number> };

export interface RedisCartViewOptions {
  readonly url: string;
  readonly log: Logger;
  /** The view's name. */
  readonly keyspace?: string;
  /** For a replay: the space that it fills. The space does not serve yet, so no client is told of its changes. */
  readonly building?: string;
}

export function openRedisCartView(options: RedisCartViewOptions): CartView {
  return new RedisCartView(options);
}

/** How long a listener's connection may take. No request waits for it. */
const subscriberReadyMs = 2_000;

class RedisCartView implements CartView {
  readonly #redis: ViewRedis;
  readonly #turn: RedisTurn;
  readonly #subscriber: RedisConnection;
  readonly #name: string;
  readonly #building: string | undefined;
  /** The space in which each place was found. A write that is based on this place must go to this space, even after a switch. */
  readonly #foundIn = new WeakMap<Place, string>();
  /** The space that served each partition at the last look. */
  readonly #serving = new Map<number, string>();
  readonly #decoded = new DecodedCarts();
  readonly #log: Logger;
  readonly #board = new NoticeBoard();
  readonly #subscribed = new Set<number>();

  constructor({ url, log, keyspace = 'v1', building }: RedisCartViewOptions) {
    this.#name = keyspace;
    this.#building = building;
    this.#log = log;
    const redis = openRedisByUrl({ url, name: 'cart-view', log });
    redis.defineCommand('applyCarts', { lua: applyScript });
    this.#redis = redis as ViewRedis;
    this.#turn = new RedisTurn(redis);
    this.#subscriber = openRedisByUrl({ url, name: 'cart-notices', log, subscriber: true });
    this.#subscriber.on('message', (channel: string, message: string) => this.#onMessage(channel, message));
    this.#subscriber.on('close', () => this.#subscribed.clear());
    const hearAgain = (): void => {
      for (const partition of this.#board.partitions()) this.#subscribe(partition);
      this.#board.postAll(this.#board.partitions());
    };
    this.#subscriber.on('ready', hearAgain);
    // A cluster's client listens at one node. When that node fails, the client subscribes at another, and the notices in between are lost.
    this.#subscriber.on('-node', hearAgain);
  }

  load(partition: number, cartIds: readonly string[]): Promise<{ place: Place | undefined; carts: Map<string, CartRecord> }> {
    return reach(async () => {
      const { space: at, found } = await inCallSpan('cart view load', redisCall, () =>
        this.#read(partition, (space) => [placeKey(space, partition), ...cartIds.map((cartId) => cartKey(space, partition, cartId))]),
      );
      const carts = new Map<string, CartRecord>();
      for (const [index, cartId] of cartIds.entries()) {
        const bytes = found[index + 1];
        if (bytes) carts.set(cartId, this.#decoded.decode(cartId, bytes));
      }
      return { place: this.#placeIn(at, found[0]), carts };
    });
  }

  places(partitions: readonly number[]): Promise<Map<number, Place>> {
    return reach(async () => {
      const all = await Promise.all(partitions.map((partition) => this.#read(partition, (space) => [placeKey(space, partition)])));
      return new Map(
        partitions.flatMap((partition, index) => {
          const { space, found } = all[index]!;
          const place = this.#placeIn(space, found[0]);
          return place === undefined ? [] : [[partition, place] as const];
        }),
      );
    });
  }

  /** Reads a partition once, in the space that serves at that moment. */
  async #read(partition: number, keysIn: (space: string) => string[]): Promise<{ space: string; found: (Buffer | null)[] }> {
    for (;;) {
      const space = this.#spaceOf(partition);
      const [serving, ...found] = await this.#turn.read([servingKey(this.#name, partition), ...keysIn(space)]);
      const actual = serving?.toString() ?? this.#name;
      if (this.#building !== undefined || actual === space) return { space, found };
      // A replay has switched the space since the last look. That is rare.
      this.#serving.set(partition, actual);
    }
  }

  #placeIn(space: string, bytes: Buffer | null | undefined): Place | undefined {
    const place = parsePlace(bytes?.toString());
    if (place !== undefined) this.#foundIn.set(place, space);
    return place;
  }

  #spaceOf(partition: number): string {
    return this.#building ?? this.#serving.get(partition) ?? this.#name;
  }

  async apply(partition: number, { expected, place, carts, traces }: Change): Promise<boolean> {
    const space = (expected && this.#foundIn.get(expected)) ?? this.#spaceOf(partition);
    const keys = [servingKey(this.#name, partition), placeKey(space, partition), dueKey(space, partition)];
    const [where, channel] = this.#building === undefined ? ['=', changedChannel(this.#name, partition)] : ['~', ''];
    const values: (string | Buffer)[] = [where, this.#name, space, formatPlace(expected), formatPlace(place), channel];
    // Outside of reach(): a cart that cannot be encoded is its record's fault. It must not look like a store that is down.
    for (const cart of carts) {
      keys.push(cartKey(space, partition, cart.state.cartId));
      const due = cart.oldestUnsnapshottedAtMs > 0 ? String(cart.oldestUnsnapshottedAtMs) : '';
      values.push(this.#decoded.encode(cart), due, cart.state.cartId, traces?.get(cart.state.cartId) ?? '');
    }
    // The next write may be based on this place, without another look.
    if (place !== undefined) this.#foundIn.set(place, space);
    const send = () => this.#redis.applyCarts(keys.length, ...keys, ...values);
    return reach(() => inCallSpan('cart view apply', redisCall, async () => (await this.#turn.write(send)) === 1));
  }

  due(partition: number, beforeMs: number, countMax: number): Promise<string[]> {
    return reach(() =>
      this.#redis.zrange(dueKey(this.#spaceOf(partition), partition), '-inf', `(${beforeMs}`, 'BYSCORE', 'LIMIT', 0, countMax),
    );
  }

  async reset(partition: number): Promise<void> {
    await reach(() => dropSpace(this.#redis, this.#spaceOf(partition), partition));
  }

  watch(partition: number, cartId: string, listener: (notice: CartNotice) => void): () => void {
    const stop = this.#board.watch(partition, cartId, listener);
    this.#subscribe(partition);
    return () => {
      stop();
      if (!this.#board.watched(partition)) this.#unsubscribe(partition);
    };
  }

  onReturn(listener: () => void): void {
    this.#redis.on('ready', listener);
    // In a cluster the connections to the other nodes stay while one shard fails over.
    for (const event of ['+node', '-node']) this.#redis.on(event, listener);
  }

  async status(): Promise<{ ok: boolean; kind: 'redis'; runId?: string }> {
    try {
      const runId = /^run_id:(\w+)/m.exec(await this.#redis.info('server'))?.[1];
      return { ok: true, kind: 'redis', ...(runId !== undefined && { runId }) };
    } catch {
      return { ok: false, kind: 'redis' };
    }
  }

  close(): Promise<void> {
    this.#subscriber.disconnect();
    this.#redis.disconnect();
    return Promise.resolve();
  }

  /** Changes before the subscription is there go unnoticed. So once it is, every listener of the partition is told to read again. */
  #subscribe(partition: number): void {
    if (this.#subscribed.has(partition)) return;
    this.#subscribed.add(partition);
    redisReady(this.#subscriber, subscriberReadyMs)
      .then(() => this.#subscriber.subscribe(changedChannel(this.#name, partition)))
      .then(() => this.#board.postAll([partition]))
      .catch((error: unknown) => {
        // The connection's next 'ready' subscribes again.
        this.#subscribed.delete(partition);
        this.#log.warn({ partition, err: error }, 'cart notices cannot be heard');
      });
  }

  #unsubscribe(partition: number): void {
    this.#subscribed.delete(partition);
    this.#subscriber.unsubscribe(changedChannel(this.#name, partition)).catch(() => undefined);
  }

  #onMessage(channel: string, message: string): void {
    const partition = Number(/^\{cart:(\d+)\}/.exec(channel)?.[1]);
    const [watermark = '', ...lines] = message.split('\n');
    if (!Number.isInteger(partition) || !/^\d+$/.test(watermark)) return;
    // No cart id looks like a traceparent. An older build takes the line for a cart id to which no client listens.
    const isTrace = (line: string | undefined): line is string => line?.startsWith('00-') === true;
    for (const [index, cartId] of lines.entries()) {
      if (isTrace(cartId)) continue;
      const traceparent = lines[index + 1];
      this.#board.post(partition, { cartId, watermark: BigInt(watermark), traceparent: isTrace(traceparent) ? traceparent : undefined });
    }
  }
}

/** About as much memory as the cache may take. It holds the carts that change at the moment. */
const decodedBytesMax = 32 * 1024 * 1024;
/** A death of 22 bytes becomes a string of 75 characters, a number and an entry of a map. */
const decodedBytesPerByte = 10;

/**
 * Each command and each batch reads a cart, and most often this process has just read or written it. The bytes are the key, so no entry is
 * stale.
 */
class DecodedCarts {
  readonly #known = new LRUCache<string, { readonly bytes: Buffer; readonly cart: CartRecord }>({
    maxSize: decodedBytesMax,
    sizeCalculation: ({ bytes }) => 500 + bytes.length * decodedBytesPerByte,
  });

  decode(cartId: string, bytes: Buffer): CartRecord {
    const known = this.#known.get(cartId);
    if (known?.bytes.equals(bytes) === true) return known.cart;
    const cart = decodeCart(bytes);
    // A copy: the client's buffer is a part of a larger one, which would stay in memory.
    this.#known.set(cartId, { bytes: Buffer.from(bytes), cart });
    return cart;
  }

  encode(cart: CartRecord): Buffer {
    const bytes = encodeCart(cart);
    this.#known.set(cart.state.cartId, { bytes, cart });
    return bytes;
  }
}

const formatPlace = (place: Place | undefined): string =>
  place === undefined ? '' : `${place.next} ${place.rebuiltAt} ${place.forwardedTo} ${place.logId}${mirrorsText(place)}`;

function parsePlace(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+) (\d+) (\d+) (\S+)((?: \S+)*)$/.exec(text);
  // A later build wrote it. This one must neither overwrite it, nor take it for a missing place.
  if (match === null) throw new Error('the place of a partition cannot be read');
  const mirrors = match[5]!.split(' ').slice(1).map(parseMirror);
  const own = { next: BigInt(match[1]!), rebuiltAt: BigInt(match[2]!), forwardedTo: BigInt(match[3]!), logId: match[4]! };
  return mirrors.length === 0 ? own : { ...own, mirrors };
}

function parseMirror(text: string): MirrorPlace {
  const match = /^([^:]+):(\d+):(\d+):(\d+):(\d+):(.*)$/.exec(text);
  if (match === null) throw new Error('the place of a copy cannot be read');
  const [, region = '', next = '', rebuiltAt = '', reached = '', heardMs = '', logId = ''] = match;
  return { region, next: BigInt(next), rebuiltAt: BigInt(rebuiltAt), reached: BigInt(reached), heardMs: Number(heardMs), logId };
}
