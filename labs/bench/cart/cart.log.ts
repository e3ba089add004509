/**
 * Writes carts as events straight into the log, where commands could not make them or not as fast.
 * It also follows how far the view has come.
 */
import { randomBytes } from 'node:crypto';
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { CartEventSchema, partitionOf, recordHeaders, topics, uuidToBytes, uuidV7 } from '@cloakroom/contracts';
import { EventLogError, type EventLog, type OutgoingRecord, type Position } from '@cloakroom/event-log';
import { Redis } from 'ioredis';

/** The bytes of one publish stay far below the log's bound. */
const publishCount = 1_000;
const followTimeoutMs = 600_000;

export interface Change {
  readonly record: OutgoingRecord;
  readonly dot: { readonly cartId: string; readonly commandId: Uint8Array<ArrayBuffer> };
}

type Event = NonNullable<MessageInitShape<typeof CartEventSchema>['event']>;

const newDot = (cartId: string): Change['dot'] => ({ cartId, commandId: uuidToBytes(uuidV7(Date.now(), randomBytes(10))) });
const lineOf = (productId: string, line: number) => ({ productId, options: { n: String(line) } });

function recordOf(cartId: string, type: string, event: Event, atMs: number): OutgoingRecord {
  const value = Buffer.from(toBinary(CartEventSchema, create(CartEventSchema, { cartId, atMs: BigInt(atMs), event })));
  const headers = { [recordHeaders.eventType]: Buffer.from(type), [recordHeaders.eventVersion]: Buffer.from('1') };
  return { key: cartId, value, headers };
}

export function added(cartId: string, productId: string, line: number, atMs = Date.now()): Change {
  const dot = newDot(cartId);
  return {
    dot,
    record: recordOf(cartId, 'ItemAdded', { case: 'itemAdded', value: { dot, line: lineOf(productId, line), quantity: 1 } }, atMs),
  };
}

/** Sets a line's quantity, having seen the current value. */
export function set(cartId: string, productId: string, line: number, before: Change, atMs = Date.now()): Change {
  const dot = newDot(cartId);
  const value = { dot, line: lineOf(productId, line), quantity: 2, observed: [before.dot] };
  return { dot, record: recordOf(cartId, 'QuantitySet', { case: 'quantitySet', value }, atMs) };
}

/** A history of one line that is set again and again. */
export function history(cartId: string, productId: string, count: number, atMs: number): Change[] {
  const changes = [added(cartId, productId, 0, atMs)];
  while (changes.length < count) changes.push(set(cartId, productId, 0, changes.at(-1)!, atMs));
  return changes;
}

export async function publishAll(eventLog: EventLog, changes: readonly Change[]): Promise<void> {
  for (let from = 0; from < changes.length; from += publishCount)
    await publish(
      eventLog,
      changes.slice(from, from + publishCount).map(({ record }) => record),
    );
}

/** Publishes again where no answer came: a dot that is written twice counts once. */
export async function publish(eventLog: EventLog, records: readonly OutgoingRecord[], attempts = 10): Promise<Position[]> {
  try {
    return await eventLog.publish(topics.cartEvents, records);
  } catch (error) {
    if (attempts <= 1 || !(error instanceof EventLogError) || error.kind !== 'retriable') throw error;
    return publish(eventLog, records, attempts - 1);
  }
}

export async function recordCount(eventLog: EventLog): Promise<number> {
  return [...(await eventLog.bounds(topics.cartEvents)).values()].reduce((sum, { first, next }) => sum + Number(next - first), 0);
}

/** Follows the progress of the view, as the view tells its listeners. */
export class Follower {
  readonly redis: Redis;
  readonly #listening: Redis;
  /** The watermark of each partition that the view has reported. */
  readonly seen = new Map<number, bigint>();
  /** Batches that the view has reported, and the times of the first and the last. */
  batches = 0;
  firstMs = 0;
  lastMs = 0;
  /** The progress of the first batch's partition: records before it were applied before the time counts. */
  firstNext = 0n;
  #changed: () => void = () => undefined;

  private constructor(port: number) {
    this.redis = new Redis({ port });
    this.#listening = new Redis({ port });
    this.#listening.on('pmessage', (_pattern, channel: string, message: string) => {
      const next = BigInt(message.slice(0, message.indexOf('\n')));
      this.seen.set(Number(/^\{cart:(\d+)\}/.exec(channel)?.[1]), next);
      this.lastMs = performance.now();
      if (this.batches++ === 0) [this.firstMs, this.firstNext] = [this.lastMs, next];
      this.#changed();
    });
  }

  static async open(port: number): Promise<Follower> {
    const follower = new Follower(port);
    await follower.#listening.psubscribe('{cart:*}:v1:changed');
    return follower;
  }

  forget(): void {
    this.seen.clear();
    this.batches = 0;
  }

  /** Resolves when the view reports that the partition has come that far. */
  async until(partition: number, next: bigint): Promise<void> {
    await this.#while(() => (this.seen.get(partition) ?? 0n) < next);
  }

  async untilAll(eventLog: EventLog): Promise<void> {
    const bounds = await eventLog.bounds(topics.cartEvents);
    await this.#while(() => [...bounds].some(([partition, { first, next }]) => next > first && (this.seen.get(partition) ?? 0n) < next));
  }

  async recordBytes(cartId: string): Promise<number> {
    return this.redis.strlen(`{cart:${partitionOf(cartId, topics.cartEvents)}}:v1:cart:${cartId}`);
  }

  close(): void {
    this.redis.disconnect();
    this.#listening.disconnect();
  }

  async #while(waits: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(followTimeoutMs);
    while (waits()) {
      late.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        setTimeout(resolve, 1_000);
      });
    }
  }
}
