/**
 * Brings partitions of the view to a place from which the log can be applied. Most often they are there already. The other cases:
 *
 * - No place: the view is new, or was wiped. Snapshots are restored first, then the log is replayed from its first record.
 * - Behind the log's first record: retention took events that the view never had. Snapshots hold them.
 * - Ahead of the log's end, or of another cluster: the log was replaced. The view is only a copy of the log, so it begins anew.
 * - A copy of another region's log that the view does not follow yet, or that was made anew: it is read from its first record. Carts pass over
 *   the records that they hold.
 * - A copy of a region that was given up (OTHER_REGIONS no longer names it): it is followed no more.
 * - A copy that was made anew and is as long as before: its next record shows the gap (two-logs.ts), and it is read from its first record.
 * - A copy that does not say where it ends is read on where it was. Its trouble must not hold up the region's own carts. A batch from elsewhere
 *   brings the partition back here.
 *
 * Any of it may be repeated, even by two processes at once: every write succeeds only at the place that was found.
 */
import type { CartParts } from '../cart.dependencies.ts';
import type { MirrorPlace, Place } from './cart.view.ts';
import { offsetIn } from '../model/cart.ts';
import type { CartRecord } from '../model/codec.ts';
import { realignments } from '../metrics.ts';
import { orRetryLater } from './project-batch.ts';
import { readSnapshots } from './snapshots.ts';
import { mirrorOf, type MirroredLog } from './two-logs.ts';

interface Bounds {
  readonly first: bigint;
  readonly next: bigint;
}

export interface Found {
  readonly place: Place | undefined;
  /** Where the partition ends in this region's own log. */
  readonly end: bigint | undefined;
  /** Whether each log can be read on from the place. */
  readonly isSettled: boolean;
}

/** Changes nothing. @throws RetryLater when the view is down */
export async function lookAtPartitions(
  parts: CartParts,
  partitions: readonly number[],
): Promise<{ logId: string; found: ReadonlyMap<number, Found> }> {
  const { eventLog, topics, view } = parts;
  const { clusterId: logId } = await eventLog.describe();
  const places = await orRetryLater(view.places(partitions));
  const bounds = await eventLog.bounds(topics.events);
  const copies = await boundsOfCopies(parts);
  const look = (partition: number): Found => {
    const place = places.get(partition);
    const of = bounds.get(partition);
    const isOfLog = place?.logId === logId && of !== undefined && place.next >= of.first && place.next <= of.next;
    return { place, end: of?.next, isSettled: isOfLog && following(place, copies, partition) === place };
  };
  return { logId, found: new Map(partitions.map((partition) => [partition, look(partition)])) };
}

/**
 * @param group the consumer group. Its committed offsets tell which records were forwarded before the view was lost.
 * @returns the place from which each partition is to be read on. A partition is absent when another process was faster: ask again.
 */
export async function settlePartitions(
  parts: CartParts,
  logId: string,
  group: string,
  partitions: readonly number[],
): Promise<Map<number, Place>> {
  const { view, eventLog, topics, log } = parts;
  const places = await view.places(partitions);
  const bounds = await eventLog.bounds(topics.events);
  const copies = await boundsOfCopies(parts);
  const settled = new Map<number, Place>();
  const broken = new Map<number, Place | undefined>();
  for (const partition of partitions) {
    const place = places.get(partition);
    const of = boundsOf(bounds, partition);
    if (place === undefined) broken.set(partition, undefined);
    else if (place.logId !== logId || place.next > of.next) {
      realignments.inc({ how: 'replaced_log' });
      log.error({ partition, place: String(place.next), logEnd: String(of.next) }, 'the view is of another log; it begins anew');
      await view.reset(partition);
      broken.set(partition, undefined);
    } else if (place.next < of.first) broken.set(partition, place);
    else {
      const followed = following(place, copies, partition);
      if (followed !== place) realignments.inc({ how: 'followed_copy' });
      if (followed === place || (await view.apply(partition, { expected: place, place: followed, carts: [] })))
        settled.set(partition, followed);
    }
  }
  if (broken.size > 0) {
    const forwarded = await forwardedOffsets(parts, group, bounds);
    await restore(parts, parts.replays === true ? withGaps(broken, [bounds, ...copies.map(([, of]) => of)]) : broken, bounds);
    for (const [partition, place] of broken) {
      const { first, next } = boundsOf(bounds, partition);
      const forwardedTo = place?.forwardedTo ?? forwarded.get(partition) ?? 0n;
      const mirrors = place?.mirrors && { mirrors: place.mirrors };
      const begin = following({ next: first, rebuiltAt: next, forwardedTo, logId, ...mirrors }, copies, partition);
      const began = await view.apply(partition, { expected: place, place: begin, carts: [] });
      if (began) settled.set(partition, begin);
      if (began && next > first) realignments.inc({ how: place === undefined ? 'rebuilt' : 'retention_gap' });
    }
  }
  return settled;
}

/** Without bounds where the copy does not answer. */
type BoundsOfCopies = readonly (readonly [region: string, bounds: ReadonlyMap<number, Bounds> | undefined])[];

function boundsOfCopies({ eventLog, topics: { mirrors = [] }, log }: CartParts): Promise<BoundsOfCopies> {
  const boundsOfCopy = async ({ region, events }: MirroredLog) => {
    const bounds = await eventLog.bounds(events).catch((error: unknown) => {
      log.warn({ err: error, region }, 'the copy of a log does not say where it ends; it is read on where it was');
      return undefined;
    });
    return [region, bounds] as const;
  };
  return Promise.all(mirrors.map(boundsOfCopy));
}

/** @returns the very same place when the view follows each copy within its bounds, and no other */
function following(place: Place, copies: BoundsOfCopies, partition: number): Place {
  const mirrors = copies.map(([region, bounds]): MirrorPlace => {
    const known = mirrorOf(place, region);
    if (bounds === undefined) return known ?? { region, reached: 0n, heardMs: 0, logId: '', next: 0n, rebuiltAt: 0n };
    const { first, next } = boundsOf(bounds, partition);
    // A rebuild that would end behind the copy's end was begun in another copy.
    if (known !== undefined && known.next >= first && known.next <= next && known.rebuiltAt <= next) return known;
    return { region, reached: known?.reached ?? 0n, heardMs: known?.heardMs ?? 0, logId: known?.logId ?? '', next: first, rebuiltAt: next };
  });
  const isSame = mirrors.length === (place.mirrors?.length ?? 0) && mirrors.every((one) => place.mirrors?.includes(one) === true);
  if (isSame) return place;
  // A region that was given up is left out. If it comes back, its copy is read from the first record, and carts pass over what they hold.
  // While there were copies, forwardedTo said nothing (cart.view.ts).
  const { mirrors: _, ...alone } = place;
  return mirrors.length === 0 ? { ...alone, forwardedTo: 0n } : { ...place, mirrors };
}

function boundsOf(bounds: ReadonlyMap<number, Bounds>, partition: number): Bounds {
  const of = bounds.get(partition);
  if (of === undefined) throw new Error(`the log has no partition ${partition} of carts`);
  return of;
}

/**
 * The projector commits a batch after it has forwarded the batch's guests. So records below the committed offset need no second copy. The
 * bounds were asked first, so this offset is too low when the log grew meanwhile. That only costs a second copy.
 */
async function forwardedOffsets(
  { eventLog, topics }: CartParts,
  group: string,
  bounds: ReadonlyMap<number, Bounds>,
): Promise<Map<number, bigint>> {
  const lags = await eventLog.lag(group, topics.events);
  return new Map(
    lags.map(({ partition, records }) => {
      const { first, next } = boundsOf(bounds, partition);
      const committed = next - records;
      return [partition, committed > first ? committed : first];
    }),
  );
}

/** A replay computes carts anew. So it uses snapshots, which an older build may have made, only where a log is not whole. */
const withGaps = (
  broken: ReadonlyMap<number, Place | undefined>,
  logs: readonly (ReadonlyMap<number, Bounds> | undefined)[],
): Map<number, Place | undefined> =>
  new Map([...broken].filter(([partition]) => logs.some((bounds) => bounds !== undefined && boundsOf(bounds, partition).first > 0n)));

async function restore(
  parts: CartParts,
  broken: ReadonlyMap<number, Place | undefined>,
  bounds: ReadonlyMap<number, Bounds>,
): Promise<void> {
  await readSnapshots(parts, new Set(broken.keys()), async (partition, snapshots) => {
    const newest = new Map(snapshots.map((cart) => [cart.state.cartId, withinLog(cart, boundsOf(bounds, partition))]));
    const { carts: known } = await orRetryLater(parts.view.load(partition, [...newest.keys()]));
    const better = [...newest.values()].filter((cart) => isFurther(cart, known.get(cart.state.cartId)));
    if (better.length === 0) return;
    await orRetryLater(parts.view.apply(partition, { expected: broken.get(partition), place: undefined, carts: better }));
  });
}

/** A cart may have moved in the log of another region alone. */
function isFurther({ position, inRegions }: CartRecord, known: CartRecord | undefined): boolean {
  if (known === undefined || position > known.position) return true;
  return inRegions?.positions.some((of) => of.offset > (offsetIn(known.inRegions?.positions, of) ?? 0n)) === true;
}

/** A position past the log's end belongs to a log that is gone. The state is kept, but no record of this log may be skipped for it. */
const withinLog = (cart: CartRecord, { first, next }: Bounds): CartRecord => (cart.position > next ? { ...cart, position: first } : cart);
