/**
 * Appends buried records to the end of their log, once their defect is mended. A record waits while its cart carries its mark. The mark is
 * in the view, and is rebuilt with it after a wipe. So a redrive needs no memory of its own. It reads every dead letter, skips those
 * without a mark, appends those that can be applied now, and leaves the others, saying why.
 *
 * A late redrive is safe: events commute, and a cart with a mark forgets no death. A second redrive is safe (two operators, a crash): the
 * projector clears the mark when it applies the record, and skips a copy without a mark. If it did not, a copy weeks later could bring back
 * lines that were removed and forgotten. When a running projector of an older build cannot read the record, it buries the record again,
 * under a new mark.
 */
import { deadLetterTopic } from '@cloakroom/contracts';
import { publishInParts, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';
import { newCart } from '../projection/apply-record.ts';
import { evolve } from '../model/cart.ts';
import type { CartView } from '../projection/cart.view.ts';
import { decodeEvent, encodeCart, type CartRecord } from '../model/codec.ts';
import { originOf } from '../projection/dead-letters.ts';
import { readDeadLetters, toRecord, type DeadLetter, type Outcome, type Redriven } from './read-dead-letters.ts';
import type { CartTopics } from '../cart.dependencies.ts';
import { orRetryLater } from '../projection/project-batch.ts';

export interface RedriveParts {
  readonly eventLog: EventLog;
  readonly view: Pick<CartView, 'load'>;
  readonly topics: Pick<CartTopics, 'events'>;
  readonly clock: Clock;
  /** Changes nothing, and only tells. */
  readonly dryRun?: boolean;
  /** Called for each dead letter once its outcome is known. */
  readonly tell?: (letter: DeadLetter) => void;
}

/** Reads the dead letters that were written before the call. @throws when log or view are down for too long; records put back by then stay so */
export function redrive(parts: RedriveParts): Promise<Redriven> {
  return readDeadLetters(parts, deadLetterTopic(parts.topics.events), (partition, records) => takeDeadLetters(parts, partition, records));
}

async function takeDeadLetters(parts: RedriveParts, partition: number, records: readonly LogRecord[]): Promise<DeadLetter[]> {
  const { eventLog, topics, dryRun = false, tell } = parts;
  const { place, carts } = await orRetryLater(parts.view.load(partition, [...new Set(records.map(({ key }) => key))]));
  const taken = new Set<bigint>();
  const letters = records.map((record): DeadLetter => {
    const { key: cartId } = record;
    const origin = originOf(record, topics.events);
    // The view has passed the record and holds no mark for it. So a record that a crash buried twice is put back once.
    const passed = origin !== undefined && place !== undefined && place.next > origin;
    const done = origin !== undefined && (taken.has(origin) || (passed && carts.get(cartId)?.missing.has(origin) !== true));
    const judged = () => judge(record, origin, passed, carts.get(cartId) ?? newCart(cartId));
    const outcome = done ? ({ is: 'done' } as const) : judged();
    if (origin !== undefined && outcome.is === 'put_back') taken.add(origin);
    return { cartId, partition, origin, outcome };
  });
  const again = letters.flatMap(({ origin, outcome }, i) => (outcome.is === 'put_back' ? [toRecord(records[i]!, origin!)] : []));
  if (!dryRun) await orRetryLater(publishInParts(eventLog, topics.events, again));
  for (const letter of letters) tell?.(letter);
  return letters;
}

/** Decides whether the projector could decode the record and encode its cart. Both are pure, so an error is the record's fault. */
function judge(record: LogRecord, origin: bigint | undefined, passed: boolean, cart: CartRecord): Outcome {
  if (origin === undefined) return { is: 'left', why: 'its headers do not say where it came from' };
  // The rebuild may read it in its own place, or mark it again. Only then is it clear which.
  if (!passed) return { is: 'left', why: 'the view has not come to it yet: run this again' };
  try {
    encodeCart({ ...cart, state: evolve(cart.state, decodeEvent(record)) });
    return { is: 'put_back' };
  } catch (error) {
    return { is: 'left', why: error instanceof Error ? error.message : String(error) };
  }
}
