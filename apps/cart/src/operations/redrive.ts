/**
 * Appends buried records to the end of their log, once their defect is mended. A record waits while its cart carries its mark. The mark is
 * in the view, and is rebuilt with it after a wipe. So a redrive needs no memory of its own. It reads every dead letter, skips those
 * without a mark, appends those that can be applied now, and leaves the others, saying why.
 *
 * A late redrive is safe: events commute, and a cart with a mark forgets no death. A second redrive is safe (two operators, a crash): the
 * projector clears the mark when it applies the record, and skips a copy without a mark. If it did not, a copy weeks later could bring back
 * lines that were removed and forgotten. When a running projector of an older build cannot read the record, it buries the record again,
 * under a new mark.
 *
 * A guest's record may have been buried, and the guest claimed, before the view was lost. A newer build then reads the record in its own place, so
 * there is no mark. But the user's cart was told of the guest without it. So a guest's record is also put back while the cart of its user lacks
 * anything of the guest. The projector tells the user of the guest anew because of it.
 *
 * A record of another region's log goes back to the end of the copy, where MirrorMaker writes too. So whatever happens to the copy happens to both,
 * and the record stays one that another region appended: this region forwards nothing because of it. It keeps the headers that name its first place.
 * When its own region redrives it as well, that record arrives in the copy, and the cart takes the one that comes first.
 */
import { deadLetterTopic, partitionOf, type TopicSpec } from '@cloakroom/contracts';
import { publishInParts, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';
import { isIncomplete, isMissing, newCart } from '../projection/apply-record.ts';
import { evolve, holdsGuest } from '../model/cart.ts';
import { isRebuilding, type CartView, type Place } from '../projection/cart.view.ts';
import { decodeEvent, encodeCart, type CartRecord } from '../model/codec.ts';
import { originOf } from '../projection/dead-letters.ts';
import { readDeadLetters, toRecord, type DeadLetter, type Outcome, type Redriven } from './read-dead-letters.ts';
import type { CartTopics } from '../cart.dependencies.ts';
import { orRetryLater } from '../projection/project-batch.ts';
import { copiedFrom, hasPassed, homeOf, logsOf } from '../projection/two-logs.ts';

export interface RedriveParts {
  readonly eventLog: EventLog;
  readonly view: Pick<CartView, 'load'>;
  readonly topics: Pick<CartTopics, 'events' | 'mirrors'>;
  readonly clock: Clock;
  /** Changes nothing, and only tells. */
  readonly dryRun?: boolean;
  /** Called for each dead letter once its outcome is known. */
  readonly tell?: (letter: DeadLetter) => void;
}

/** Reads the dead letters that were written before the call. @throws when log or view are down for too long; records put back by then stay so */
export async function redrive(parts: RedriveParts): Promise<Redriven> {
  const sum = { putBack: 0, done: 0, left: 0 };
  for (const log of logsOf(parts.topics)) {
    const { putBack, done, left } = await readDeadLetters(parts, deadLetterTopic(log), (partition, records) =>
      takeDeadLetters(parts, log, partition, records),
    );
    sum.putBack += putBack;
    sum.done += done;
    sum.left += left;
  }
  return sum;
}

async function takeDeadLetters(
  parts: RedriveParts,
  log: TopicSpec,
  partition: number,
  records: readonly LogRecord[],
): Promise<DeadLetter[]> {
  const { eventLog, topics, dryRun = false, tell } = parts;
  const region = copiedFrom(topics, log.name);
  const { place, carts } = await orRetryLater(parts.view.load(partition, [...new Set(records.map(({ key }) => key))]));
  const taken = new Set<string>();
  // The region that read the record from a copy forwards nothing because of it.
  const untold = region === undefined ? await guestsUntold(parts, [...carts.values()]) : new Map<string, Outcome>();
  const letters = records.map((record): DeadLetter => {
    const cart = carts.get(record.key) ?? newCart(record.key);
    const waits = waitingPlace(record, log, region, { place, cart });
    // The view has passed the record and holds no mark for it. So a record that a crash buried twice is put back once.
    const done = waits !== undefined && (taken.has(waits.name) || (waits.isPassed && !isMissing(cart, waits.origin, record, region)));
    const outcome = done ? (untold.get(record.key) ?? { is: 'done' }) : judge(record, waits, cart);
    // One record of a guest is enough: its user is told of the whole cart.
    if (outcome.is === 'put_back') untold.delete(record.key);
    if (waits !== undefined && outcome.is === 'put_back') taken.add(waits.name);
    return { cartId: record.key, partition, region, origin: waits?.origin, outcome };
  });
  const again = letters.flatMap(({ origin, outcome }, i) => (outcome.is === 'put_back' ? [toRecord(records[i]!, origin!)] : []));
  if (!dryRun) await orRetryLater(publishInParts(eventLog, log, again));
  for (const letter of letters) tell?.(letter);
  return letters;
}

/** The guests whose users do not hold all that the guest did, and what a redrive does about each. */
async function guestsUntold({ view, topics }: RedriveParts, carts: readonly CartRecord[]): Promise<Map<string, Outcome>> {
  const untold = new Map<string, Outcome>();
  for (const { state } of carts) {
    if (state.claimedBy === undefined) continue;
    const { place, carts: users } = await orRetryLater(view.load(partitionOf(state.claimedBy, topics.events), [state.claimedBy]));
    const user = users.get(state.claimedBy) ?? newCart(state.claimedBy);
    if (place === undefined || isRebuilding(place))
      untold.set(state.cartId, { is: 'left', why: 'the view is being rebuilt: run this again' });
    else if (!holdsGuest(user.state, state))
      // A join that was buried brings the guest's items itself. Another one would be buried too.
      untold.set(
        state.cartId,
        isIncomplete(user) ? { is: 'left', why: 'the cart of its user waits itself: run this again' } : { is: 'put_back' },
      );
  }
  return untold;
}

/** Where a dead letter stood in the log that it was first appended to. */
interface WaitingPlace {
  readonly origin: bigint;
  /** Differs between records of one partition. */
  readonly name: string;
  /** Whether the view has come to the record. */
  readonly isPassed: boolean;
}

/** @returns undefined when the headers do not say it */
function waitingPlace(
  record: LogRecord,
  log: TopicSpec,
  region: string | undefined,
  { place, cart }: { readonly place: Place | undefined; readonly cart: CartRecord },
): WaitingPlace | undefined {
  if (region === undefined) {
    const origin = originOf(record, log);
    return origin === undefined ? undefined : { origin, name: String(origin), isPassed: place !== undefined && place.next > origin };
  }
  // A copy that was made anew has other offsets. So the cart tells, by those of the record's own log.
  const home = homeOf(record, region);
  return home && { origin: home.offset, name: `${home.logId} ${home.offset}`, isPassed: hasPassed(cart, home) };
}

/** Decides whether the projector could decode the record and encode its cart. Both are pure, so an error is the record's fault. */
function judge(record: LogRecord, waits: WaitingPlace | undefined, cart: CartRecord): Outcome {
  if (waits === undefined) return { is: 'left', why: 'its headers do not say where it came from' };
  // The rebuild may read it in its own place, or mark it again. Only then is it clear which.
  if (!waits.isPassed) return { is: 'left', why: 'the view has not come to it yet: run this again' };
  try {
    encodeCart({ ...cart, state: evolve(cart.state, decodeEvent(record)) });
    return { is: 'put_back' };
  } catch (error) {
    return { is: 'left', why: error instanceof Error ? error.message : String(error) };
  }
}
