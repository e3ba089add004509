/**
 * Puts buried records back at the end of their log, once whatever made them unreadable is mended. A record waits while its cart carries its
 * mark; that mark is in the view, and comes back with it after a wipe. So this needs no memory of its own: it looks at every dead letter,
 * passes over those without a mark, appends those that can be applied now, and leaves the rest where they are, saying why.
 *
 * Late is safe: events commute, and a cart with a mark forgets no death. Twice is safe (two operators, a crash): the projector clears the mark
 * when it applies the record, and passes over a copy of what carries none; else a copy that comes weeks after could bring back what was
 * removed and forgotten. Run by a build that reads less than this one, it buries the record again, under a new mark.
 */
import { deadLetterTopic } from '@cloakroom/contracts';
import { publishInParts, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';
import { newCart } from '../projection/apply-record.ts';
import { evolve } from '../model/cart.ts';
import type { CartView } from '../projection/cart.view.ts';
import { decodeEvent, encodeCart, type CartRecord } from '../model/codec.ts';
import { originOf } from '../projection/dead-letters.ts';
import { readLetters, toRecord, type Letter, type Outcome, type Redriven } from './read-dead-letters.ts';
import type { CartTopics } from '../cart.dependencies.ts';
import { orRetryLater } from '../projection/project-batch.ts';

export interface RedriveParts {
  readonly eventLog: EventLog;
  readonly view: Pick<CartView, 'load'>;
  readonly topics: Pick<CartTopics, 'events'>;
  readonly clock: Clock;
  /** Only look. */
  readonly dryRun?: boolean;
  /** Called for each dead letter once its outcome is known. */
  readonly tell?: (letter: Letter) => void;
}

/** Looks at what was buried before the call. @throws when log or view are away for too long; what was put back by then stays so */
export function redrive(parts: RedriveParts): Promise<Redriven> {
  return readLetters(parts, deadLetterTopic(parts.topics.events), (partition, records) => takeLetters(parts, partition, records));
}

async function takeLetters(parts: RedriveParts, partition: number, records: readonly LogRecord[]): Promise<Letter[]> {
  const { eventLog, topics, dryRun = false, tell } = parts;
  const { place, carts } = await orRetryLater(parts.view.load(partition, [...new Set(records.map(({ key }) => key))]));
  const taken = new Set<bigint>();
  const letters = records.map((record): Letter => {
    const { key: cartId } = record;
    const origin = originOf(record, topics.events);
    // The view has passed it and holds no mark. Buried twice by a crash, it goes back once.
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

/** Whether the projector could apply it today: read it, and keep what it makes of the cart. Both are pure, so whatever fails is the record's fault. */
function judge(record: LogRecord, origin: bigint | undefined, passed: boolean, cart: CartRecord): Outcome {
  if (origin === undefined) return { is: 'left', why: 'its headers do not say where it came from' };
  // The rebuild may read it in its own place, or mark it again. Only then it is known which.
  if (!passed) return { is: 'left', why: 'the view has not come to it yet: run this again' };
  try {
    encodeCart({ ...cart, state: evolve(cart.state, decodeEvent(record)) });
    return { is: 'put_back' };
  } catch (error) {
    return { is: 'left', why: error instanceof Error ? error.message : String(error) };
  }
}
