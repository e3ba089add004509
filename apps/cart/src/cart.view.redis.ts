/**
 * The view in Redis, one server or a cluster. All keys of a partition share the hash tag `{cart:<partition>}`, hence one slot and one Lua call,
 * which names them all: while the slot moves to another node Redis refuses what it cannot see whole (TRYAGAIN), and the projector comes again.
 *
 * Subtlety: a rolled-back or wiped Redis (AOF everysec, failover, FLUSHALL) rolls the carts and the watermark back together, because one script
 * writes both; the projector then finds a place that is not the one it left, and replays from there. The server must not evict
 * (`maxmemory-policy noeviction`): a cart gone without its watermark would not be missed. For the same reason no key here expires.
 */
import { inCallSpan, openRedisByUrl, redisReady, type Logger, type RedisConnection } from '@cloakroom/platform';
import { ViewUnavailable, type CartNotice, type CartView, type Change, type Place } from './cart.view.ts';
import { decodeCart, encodeCart, type CartRecord } from './codec.ts';
import { NoticeBoard } from './notice-board.ts';

/** String: `<next> <rebuiltAt> <forwardedTo> <logId>`. */
const placeKey = (space: string, partition: number): string => `{cart:${partition}}:${space}:place`;
/** String: a CartSnapshot in protobuf. */
const cartKey = (space: string, partition: number, cartId: string): string => `{cart:${partition}}:${space}:cart:${cartId}`;
/** Sorted set: cart id by the time of its oldest event that no snapshot holds. */
const dueKey = (space: string, partition: number): string => `{cart:${partition}}:${space}:due`;
/** Channel, not a key: `<next>`, then a line a cart: its id, and where it is known one more with the traceparent of the change. */
const changedChannel = (space: string, partition: number): string => `{cart:${partition}}:${space}:changed`;

/**
 * The only write. KEYS: place, due, then one a cart. ARGV: expected place, new place, channel, then (bytes, due score or '', cart id,
 * traceparent or '') a cart.
 * GET and SET rather than a hash: the carts of a batch are read by one MGET together with the place.
 */
const applyScript = `#!lua
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
local changed = {}
for i = 3, #KEYS do
  local at = 4 + (i - 3) * 4
  redis.call('SET', KEYS[i], ARGV[at])
  if ARGV[at + 1] == '' then redis.call('ZREM', KEYS[2], ARGV[at + 2]) else redis.call('ZADD', KEYS[2], ARGV[at + 1], ARGV[at + 2]) end
  changed[#changed + 1] = ARGV[at + 2]
  if ARGV[at + 3] ~= '' then changed[#changed + 1] = ARGV[at + 3] end
end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[2])
  if #changed > 0 then redis.call('PUBLISH', ARGV[3], string.match(ARGV[2], '^%d+') .. '\\n' .. table.concat(changed, '\\n')) end
end
return 1
`;

const redisCall = { 'db.system.name': 'redis' } as const;

type ViewRedis = RedisConnection & { applyCarts(keyCount: number, ...args: (string | Buffer)[]): Promise<number> };

export interface RedisCartViewOptions {
  readonly url: string;
  readonly log: Logger;
  /** Versions the view: another one replays beside this one. */
  readonly keyspace?: string;
}

export function openRedisCartView(options: RedisCartViewOptions): CartView {
  return new RedisCartView(options);
}

/** Keys asked for by one SCAN step of a reset. */
const scanCount = 500;
/** How long a listener's connection may take: it is not on any request's path. */
const subscriberReadyMs = 2_000;

class RedisCartView implements CartView {
  readonly #redis: ViewRedis;
  readonly #subscriber: RedisConnection;
  readonly #space: string;
  readonly #log: Logger;
  readonly #board = new NoticeBoard();
  readonly #subscribed = new Set<number>();

  constructor({ url, log, keyspace = 'v1' }: RedisCartViewOptions) {
    this.#space = keyspace;
    this.#log = log;
    const redis = openRedisByUrl({ url, name: 'cart-view', log });
    redis.defineCommand('applyCarts', { lua: applyScript });
    this.#redis = redis as ViewRedis;
    this.#subscriber = openRedisByUrl({ url, name: 'cart-notices', log, subscriber: true });
    this.#subscriber.on('message', (channel: string, message: string) => this.#onMessage(channel, message));
    this.#subscriber.on('close', () => this.#subscribed.clear());
    const hearAgain = (): void => {
      for (const partition of this.#board.partitions()) this.#subscribe(partition);
      this.#board.postAll(this.#board.partitions());
    };
    this.#subscriber.on('ready', hearAgain);
    // A cluster's client listens at one node; when that falls it subscribes at another by itself, and what was said in between is lost.
    this.#subscriber.on('-node', hearAgain);
  }

  load(partition: number, cartIds: readonly string[]): Promise<{ place: Place | undefined; carts: Map<string, CartRecord> }> {
    return reach(async () => {
      const keys = [placeKey(this.#space, partition), ...cartIds.map((cartId) => cartKey(this.#space, partition, cartId))];
      const [place, ...found] = await inCallSpan('cart view load', redisCall, () => this.#redis.mgetBuffer(...keys));
      const carts = new Map<string, CartRecord>();
      for (const [index, cartId] of cartIds.entries()) {
        const bytes = found[index];
        if (bytes) carts.set(cartId, decodeCart(bytes));
      }
      return { place: parsePlace(place?.toString()), carts };
    });
  }

  places(partitions: readonly number[]): Promise<Map<number, Place>> {
    return reach(async () => {
      // One GET a slot, in one write to the socket.
      const found = await Promise.all(partitions.map((partition) => this.#redis.get(placeKey(this.#space, partition))));
      return new Map(
        partitions.flatMap((partition, index) => {
          const place = parsePlace(found[index] ?? undefined);
          return place === undefined ? [] : [[partition, place] as const];
        }),
      );
    });
  }

  async apply(partition: number, { expected, place, carts, traces }: Change): Promise<boolean> {
    const keys = [placeKey(this.#space, partition), dueKey(this.#space, partition)];
    const values: (string | Buffer)[] = [formatPlace(expected), formatPlace(place), changedChannel(this.#space, partition)];
    // Outside of reach(): what cannot be encoded is its record's fault, and must not pass for a store that is away.
    for (const cart of carts) {
      keys.push(cartKey(this.#space, partition, cart.state.cartId));
      const due = cart.oldestUnsnapshottedAtMs > 0 ? String(cart.oldestUnsnapshottedAtMs) : '';
      values.push(encodeCart(cart), due, cart.state.cartId, traces?.get(cart.state.cartId) ?? '');
    }
    return reach(() =>
      inCallSpan('cart view apply', redisCall, async () => (await this.#redis.applyCarts(keys.length, ...keys, ...values)) === 1),
    );
  }

  due(partition: number, beforeMs: number, countMax: number): Promise<string[]> {
    return reach(() => this.#redis.zrange(dueKey(this.#space, partition), '-inf', `(${beforeMs}`, 'BYSCORE', 'LIMIT', 0, countMax));
  }

  async reset(partition: number): Promise<void> {
    await reach(async () => {
      await this.#redis.del(placeKey(this.#space, partition), dueKey(this.#space, partition));
      // A full scan: only after the log itself was replaced, when nothing here is worth reading.
      const servers = 'slots' in this.#redis ? this.#redis.nodes('master') : [this.#redis];
      for (const server of servers) {
        let cursor = '0';
        do {
          const [next, keys] = await server.scan(cursor, 'MATCH', cartKey(this.#space, partition, '*'), 'COUNT', scanCount);
          if (keys.length > 0) await this.#redis.unlink(...keys);
          cursor = next;
        } while (cursor !== '0');
      }
    });
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
    // Of a cluster the rest stays connected while one shard changes hands.
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

  /** Until it is subscribed a change goes unnoticed; so everybody of the partition is told to read again once it is. */
  #subscribe(partition: number): void {
    if (this.#subscribed.has(partition)) return;
    this.#subscribed.add(partition);
    redisReady(this.#subscriber, subscriberReadyMs)
      .then(() => this.#subscriber.subscribe(changedChannel(this.#space, partition)))
      .then(() => this.#board.postAll([partition]))
      .catch((error: unknown) => {
        // The connection's next 'ready' subscribes again.
        this.#subscribed.delete(partition);
        this.#log.warn({ partition, err: error }, 'cart notices cannot be heard');
      });
  }

  #unsubscribe(partition: number): void {
    this.#subscribed.delete(partition);
    this.#subscriber.unsubscribe(changedChannel(this.#space, partition)).catch(() => undefined);
  }

  #onMessage(channel: string, message: string): void {
    const partition = Number(/^\{cart:(\d+)\}/.exec(channel)?.[1]);
    const [watermark = '', ...lines] = message.split('\n');
    if (!Number.isInteger(partition) || !/^\d+$/.test(watermark)) return;
    // No cart is called like a traceparent; a reader that does not know the line tells nobody.
    const isTrace = (line: string | undefined): line is string => line?.startsWith('00-') === true;
    for (const [index, cartId] of lines.entries()) {
      if (isTrace(cartId)) continue;
      const traceparent = lines[index + 1];
      this.#board.post(partition, { cartId, watermark: BigInt(watermark), traceparent: isTrace(traceparent) ? traceparent : undefined });
    }
  }
}

const formatPlace = (place: Place | undefined): string =>
  place === undefined ? '' : `${place.next} ${place.rebuiltAt} ${place.forwardedTo} ${place.logId}`;

function parsePlace(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+) (\d+) (\d+) (\S+)$/.exec(text);
  // Of a version that this one does not know: not ours to overwrite, nor to take for "none".
  if (match === null) throw new Error('the place of a partition cannot be read');
  return { next: BigInt(match[1]!), rebuiltAt: BigInt(match[2]!), forwardedTo: BigInt(match[3]!), logId: match[4]! };
}

async function reach<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ViewUnavailable('the cart view does not answer', { cause: error });
  }
}
