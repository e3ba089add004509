/**
 * Adds to carts, and reports when each addition was acknowledged and when it could be seen. Visibility is measured in two ways:
 * - For every command: the moment at which the view told its listeners that its watermark had passed the command's position.
 * - For one in `readEvery`: the answer of a read with the command's consistency token, sent when the command was acknowledged.
 *
 * All times come from one clock, in this process.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uuidV7 } from '@cloakroom/contracts';
import { build } from 'hdr-histogram-js';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import { closedLoop, openLoop } from '../measuring/load.loops.ts';
import { obey } from '../measuring/load.process.ts';
import type { Latency } from '../measuring/load.worker.ts';

export interface CartOrder {
  readonly origin: string;
  /** A JSON file with a list of Cookie headers; each command takes the next one. */
  readonly cookiesFile: string;
  readonly from: number;
  /** Each command takes the next one. */
  readonly productIds: readonly string[];
  readonly warmUpSeconds: number;
  readonly how:
    | { readonly kind: 'closed'; readonly connections: number; readonly seconds: number }
    | { readonly kind: 'open'; readonly rate: number; readonly seconds: number }
    /** A fixed number of commands from a number of clients at once. */
    | { readonly kind: 'count'; readonly connections: number; readonly commands: number };
  readonly watch?: { readonly cartRedisPort: number; readonly readEvery: number } | undefined;
}

export interface CartLoaded {
  /** Acknowledged commands a second. */
  readonly perSecond: number;
  readonly answered: number;
  /** Failed commands by status; 0 means no answer. */
  readonly wrong: Readonly<Record<string, number>>;
  readonly acknowledged: Latency;
  readonly inView: Latency | undefined;
  readonly inRead: Latency | undefined;
  /** Commands that were acknowledged and not seen in the view at the end. */
  readonly unseen: number;
  /** Reads whose answer lacked their command. */
  readonly stale: number;
  readonly lateP99: number;
  readonly next: number;
}

const openConnectionCount = 64;
/** Time to wait after the last acknowledgement. */
const seenTimeoutMs = 5_000;
const histogram = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });

class Measurement {
  readonly acknowledged = histogram();
  readonly inView = histogram();
  readonly inRead = histogram();
  readonly late = histogram();
  readonly wrong: Record<string, number> = {};
  answered = 0;
  waiting = 0;
  stale = 0;

  lost(status: number): void {
    this.wrong[status] = (this.wrong[status] ?? 0) + 1;
  }
}

/** The commands that were acknowledged and not yet seen, by partition, and the position up to which each partition was seen. */
class Sight {
  readonly #pending = new Map<number, { readonly offset: bigint; readonly atMs: number; readonly measured: Measurement }[]>();
  readonly #seen = new Map<number, bigint>();
  readonly #redis: Redis;

  private constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('pmessage', (_pattern, channel: string, message: string) => {
      const partition = Number(/^\{cart:(\d+)\}/.exec(channel)?.[1]);
      this.#advance(partition, BigInt(message.slice(0, message.indexOf('\n'))), performance.now());
    });
  }

  static async open(port: number): Promise<Sight> {
    const redis = new Redis({ port });
    const sight = new Sight(redis);
    await redis.psubscribe('{cart:*}:v1:changed');
    return sight;
  }

  acknowledged(token: string, atMs: number, measured: Measurement): void {
    const [, partitionText, offsetText] = token.split(':');
    const [partition, offset] = [Number(partitionText), BigInt(offsetText!)];
    if ((this.#seen.get(partition) ?? 0n) > offset) record(measured.inView, 0);
    else this.#pending.set(partition, [...(this.#pending.get(partition) ?? []), { offset, atMs, measured }]);
  }

  unseen(): number {
    return [...this.#pending.values()].reduce((sum, list) => sum + list.length, 0);
  }

  close(): void {
    this.#redis.disconnect();
  }

  #advance(partition: number, next: bigint, nowMs: number): void {
    this.#seen.set(partition, next);
    const left = (this.#pending.get(partition) ?? []).filter(({ offset, atMs, measured }) => {
      if (offset >= next) return true;
      record(measured.inView, nowMs - atMs);
      return false;
    });
    this.#pending.set(partition, left);
  }
}

const record = (into: ReturnType<typeof histogram>, ms: number): void => into.recordValue(Math.max(1, Math.round(ms * 1000)));

obey<CartOrder, CartLoaded>(run);

async function run(order: CartOrder, begins: () => void): Promise<CartLoaded> {
  const { how, watch } = order;
  const pool = new Pool(order.origin, { connections: how.kind === 'open' ? openConnectionCount : how.connections, headersTimeout: 10_000 });
  const sight = watch === undefined ? undefined : await Sight.open(watch.cartRedisPort);
  const cookies = JSON.parse(readFileSync(order.cookiesFile, 'utf8')) as string[];
  let at = order.from;
  const phase = async (seconds: number | undefined): Promise<{ measured: Measurement; tookS: number }> => {
    const measured = new Measurement();
    const ask = (dueMs: number): Promise<void> => {
      const cookie = cookies[at % cookies.length]!;
      const productId = order.productIds[at % order.productIds.length]!;
      const reads = watch !== undefined && at % watch.readEvery === 0;
      at++;
      return add(pool, { origin: order.origin, cookie, productId, reads }, dueMs, measured, sight);
    };
    const startedMs = performance.now();
    if (how.kind === 'open') await openLoop(how.rate, seconds ?? how.seconds, ask, measured);
    else if (how.kind === 'closed') await closedLoop(how.connections, seconds ?? how.seconds, ask);
    else await counted(how.connections, how.commands, ask);
    return { measured, tookS: (performance.now() - startedMs) / 1000 };
  };
  if (order.warmUpSeconds > 0) await phase(order.warmUpSeconds);
  begins();
  const { measured, tookS } = await phase(undefined);
  const giveUpMs = performance.now() + seenTimeoutMs;
  while (sight !== undefined && sight.unseen() > 0 && performance.now() < giveUpMs) await new Promise((resolve) => setTimeout(resolve, 5));
  sight?.close();
  await pool.destroy();
  return {
    perSecond: measured.answered / tookS,
    answered: measured.answered,
    wrong: measured.wrong,
    acknowledged: latencyOf(measured.acknowledged)!,
    inView: latencyOf(measured.inView),
    inRead: latencyOf(measured.inRead),
    unseen: sight?.unseen() ?? 0,
    stale: measured.stale,
    lateP99: measured.late.getValueAtPercentile(99),
    next: at % cookies.length,
  };
}

function latencyOf(from: ReturnType<typeof histogram>): Latency | undefined {
  if (from.totalCount === 0) return undefined;
  const at = (part: number): number => from.getValueAtPercentile(part);
  return { p10: at(10), p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: from.maxValue };
}

async function counted(connections: number, commands: number, ask: (dueMs: number) => Promise<void>): Promise<void> {
  let left = commands;
  const one = async (): Promise<void> => {
    while (left-- > 0) await ask(performance.now());
  };
  await Promise.all(Array.from({ length: connections }, one));
}

interface Command {
  readonly origin: string;
  readonly cookie: string;
  readonly productId: string;
  readonly reads: boolean;
}

async function add(pool: Pool, command: Command, dueMs: number, measured: Measurement, sight: Sight | undefined): Promise<void> {
  measured.waiting++;
  record(measured.late, performance.now() - dueMs);
  try {
    const { origin, cookie, productId } = command;
    const commandId = uuidV7(Date.now(), randomBytes(10));
    const answer = await pool.request({
      method: 'POST',
      path: '/api/cart/lines',
      headers: { origin, cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ commandId, productId, quantity: 1 }),
    });
    await answer.body.dump();
    const atMs = performance.now();
    if (answer.statusCode !== 202) return measured.lost(answer.statusCode);
    measured.answered++;
    record(measured.acknowledged, atMs - dueMs);
    const token = String(answer.headers['consistency-token'] ?? '');
    if (sight !== undefined) sight.acknowledged(token, atMs, measured);
    if (command.reads) await read(pool, command, token, atMs, measured);
  } catch {
    measured.lost(0);
  } finally {
    measured.waiting--;
  }
}

async function read(pool: Pool, { cookie }: Command, token: string, atMs: number, measured: Measurement): Promise<void> {
  const answer = await pool.request({ method: 'GET', path: '/api/cart', headers: { cookie, 'consistency-token': token } });
  const cart = (await answer.body.json()) as { stale?: boolean };
  if (answer.statusCode !== 200) measured.lost(answer.statusCode);
  else if (cart.stale !== false) measured.stale++;
  record(measured.inRead, performance.now() - atMs);
}
