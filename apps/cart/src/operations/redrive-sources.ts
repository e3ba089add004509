/**
 * Puts back records of other services that cart could not read: claims of guest carts, and confirmed orders. Each record is appended
 * unchanged to the end of its own topic. So cart reads it in the usual way, and checks auth's signature as usual. Other readers of that
 * topic read it again, and all of them are idempotent. The cart's state tells whether the cart still waits for the record.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { deadLetterTopic, IdentityEventSchema, partitionOf, type IdentityEvent, type TopicSpec } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import type { CartState } from '../model/cart.ts';
import { fromDot, UndecodableRecord } from '../model/codec.ts';
import { originOf } from '../projection/dead-letters.ts';
import { readDeadLetters, toRecord, type DeadLetter, type Outcome, type Redriven } from './read-dead-letters.ts';
import type { CartTopics } from '../cart.dependencies.ts';
import { isOfItsOwnCart, readOrderEvent } from '../commands/placed-orders.ts';
import { isGone } from '../reads/prepare-order.ts';
import { orRetryLater } from '../projection/project-batch.ts';
import { isRebuilding } from '../projection/cart.view.ts';
import type { RedriveParts } from './redrive.ts';

export interface SourceParts extends Omit<RedriveParts, 'topics'> {
  readonly topics: Pick<CartTopics, 'events' | 'identity' | 'orders'>;
}

/** The cart that a dead letter is about, and a test whether that cart already holds its effect. */
type Wish =
  { readonly cartId: string; readonly isFulfilled: (cart: CartState | undefined) => boolean } | 'nothing' | { readonly why: string };

const done: Outcome = { is: 'done' };

export function redriveClaims(parts: SourceParts): Promise<Redriven> {
  return redriveFrom(parts, parts.topics.identity, (record) => {
    const { event } = readIdentityEvent(record);
    // A record that only profile failed to read is not put back: it could bring back an old address.
    if (event.case !== 'guestClaimed') return 'nothing';
    return { cartId: event.value.guestCartId, isFulfilled: (cart) => cart?.claimedBy !== undefined };
  });
}

export function redriveOrders(parts: SourceParts): Promise<Redriven> {
  return redriveFrom(parts, parts.topics.orders, (record) => {
    const event = readOrderEvent(record);
    if (event.event.case !== 'confirmed') return 'nothing';
    const { cartId, dots } = event.event.value;
    if (!isOfItsOwnCart(event, event.event.value, record)) return { why: "it names another cart than its buyer's" };
    const ordered = dots.map(fromDot);
    return { cartId, isFulfilled: (cart) => cart !== undefined && ordered.every((dot) => isGone(cart, dot, parts.clock.nowMs())) };
  });
}

function redriveFrom(parts: SourceParts, topic: TopicSpec, wishOf: (record: LogRecord) => Wish): Promise<Redriven> {
  const { eventLog, dryRun = false, tell } = parts;
  return readDeadLetters(parts, deadLetterTopic(topic), async (partition, records) => {
    const letters: DeadLetter[] = [];
    const taken = new Set<bigint>();
    for (const record of records) {
      const origin = originOf(record, topic);
      if (origin === undefined) {
        letters.push({ cartId: record.key, partition, origin, outcome: { is: 'left', why: 'its headers do not say where it came from' } });
        continue;
      }
      const { cartId, outcome } = await judge(parts, record, wishOf);
      const repeated = taken.has(origin);
      letters.push({ cartId, partition, origin, outcome: repeated ? done : outcome });
      if (repeated || outcome.is !== 'put_back') continue;
      taken.add(origin);
      if (!dryRun) await orRetryLater(eventLog.publish(topic, [toRecord(record, origin)]));
    }
    for (const letter of letters) tell?.(letter);
    return letters;
  });
}

async function judge(
  parts: SourceParts,
  record: LogRecord,
  wishOf: (record: LogRecord) => Wish,
): Promise<{ cartId: string; outcome: Outcome }> {
  const left = (why: string, cartId = record.key) => ({ cartId, outcome: { is: 'left', why } as const });
  let wish: Wish;
  try {
    wish = wishOf(record);
  } catch (error) {
    return left(error instanceof Error ? error.message : String(error));
  }
  if (wish === 'nothing') return { cartId: record.key, outcome: done };
  if ('why' in wish) return left(wish.why);
  const { cartId, isFulfilled } = wish;
  const { place, carts } = await orRetryLater(parts.view.load(partitionOf(cartId, parts.topics.events), [cartId]));
  if (place === undefined || isRebuilding(place)) return left('the view is being rebuilt: run this again', cartId);
  return { cartId, outcome: isFulfilled(carts.get(cartId)?.state) ? done : { is: 'put_back' } };
}

function readIdentityEvent({ value }: Pick<LogRecord, 'value'>): IdentityEvent {
  if (value === null) throw new UndecodableRecord('no value');
  try {
    return fromBinary(IdentityEventSchema, value);
  } catch (error) {
    throw new UndecodableRecord('not an identity event', { cause: error });
  }
}
