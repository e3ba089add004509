/** Handles a record that cannot be applied: the partition goes on, and the record's cart is marked as incomplete. */
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import { markMissing, newCart } from './apply-record.ts';
import type { CartParts } from '../cart.dependencies.ts';
import type { Place } from './cart.view.ts';
import { orRetryLater } from './project-batch.ts';
import { copiedFrom, nextIn, placeAfter } from './two-logs.ts';

/**
 * Marks the cart and moves the watermark past the buried record, in one step.
 * @returns the new place; undefined when the view stands elsewhere, and must be settled
 */
export async function markIncomplete(parts: CartParts, record: LogRecord): Promise<Place | undefined> {
  const { partition, key, offset } = record;
  const { place, carts } = await orRetryLater(parts.view.load(partition, [key]));
  const region = copiedFrom(parts.topics, record.topic);
  const stands = place && nextIn(place, region);
  if (place === undefined || stands === undefined || stands < offset) return undefined;
  if (stands > offset) return place;
  const marked = markMissing(carts.get(key) ?? newCart(key), record, region);
  const after = placeAfter(place, region, [record]);
  return (await orRetryLater(parts.view.apply(partition, { expected: place, place: after, carts: [marked] }))) ? after : undefined;
}

/** The offset of a buried record in its own topic, from its headers; undefined when they do not say. */
export function originOf(record: Pick<LogRecord, 'headers'>, of: TopicSpec): bigint | undefined {
  const text = (name: string): string => record.headers[name]?.toString() ?? '';
  const offset = text(recordHeaders.originOffset);
  return text(recordHeaders.originTopic) === of.name && /^\d{1,18}$/.test(offset) ? BigInt(offset) : undefined;
}
