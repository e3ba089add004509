/**
 * A region's own log of carts, and the copies of the other regions' logs beside it. MirrorMaker writes a copy at least once and in order: after
 * a crash it writes a block again. So a record of a copy has two places. Its offset in the copy says where to read on. Its offset in its own
 * log, from the headers, says whether it is a repetition.
 */
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import { furthestOffsets, offsetIn, type LogOffset } from '../model/cart.ts';
import { UndecodableRecord, type CartRecord } from '../model/codec.ts';
import { isRebuilding, type MirrorPlace, type Place } from './cart.view.ts';

/** The copy of another region's log of carts. */
export interface MirroredLog {
  readonly region: string;
  readonly events: TopicSpec;
}

interface Logs {
  readonly mirrors?: readonly MirroredLog[];
}

/** The region's own log, and the copies beside it. */
export const logsOf = ({ events, mirrors = [] }: Logs & { readonly events: TopicSpec }): readonly TopicSpec[] => [
  events,
  ...mirrors.map((mirror) => mirror.events),
];

/** The region whose log this topic is a copy of; undefined for the region's own log. */
export const copiedFrom = ({ mirrors = [] }: Logs, topic: string): string | undefined =>
  mirrors.find(({ events }) => events.name === topic)?.region;

/** Where the view is to be read on in this log; undefined where it has not begun to follow the copy. */
export const nextIn = (place: Place, region: string | undefined): bigint | undefined =>
  region === undefined ? place.next : mirrorOf(place, region)?.next;

export const mirrorOf = ({ mirrors }: Pick<Place, 'mirrors'>, region: string): MirrorPlace | undefined =>
  mirrors?.find((one) => one.region === region);

/** Whether the view stands where it was left, in each of the logs. */
export const isAt = (place: Place | undefined, left: Place): boolean =>
  place?.next === left.next &&
  place.logId === left.logId &&
  (left.mirrors ?? []).every(({ region, next }) => nextIn(place, region) === next);

/** @returns where a record of a copy stands in its own log; undefined when its headers do not say */
export function homeOf({ headers }: Pick<LogRecord, 'headers'>, region: string): LogOffset | undefined {
  const offset = headers[recordHeaders.logOffset]?.toString('latin1') ?? '';
  // Records from before the shop had other regions have no log-id. The view keeps it as one word of a place.
  const logId = headers[recordHeaders.logId]?.toString() ?? '';
  return /^\d{1,18}$/.test(offset) && /^\S*$/.test(logId) ? { region, logId, offset: BigInt(offset) } : undefined;
}

/** @returns where a redriven record waited, in its own log; undefined for any other record */
export function redriveOf({ headers }: Pick<LogRecord, 'headers'>): bigint | undefined {
  const text = headers[recordHeaders.redriveOf]?.toString() ?? '';
  return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

/**
 * Whether a redrive of this region appended the record to the copy again, and not MirrorMaker. It still names its first place. A record that its own
 * region has redriven names a new one.
 */
const isPutBack = (record: Pick<LogRecord, 'headers'>, origin: LogOffset | undefined): boolean =>
  origin !== undefined && redriveOf(record) === origin.offset;

/** No copy is so long. A rebuild to here was begun in a copy that is gone, so the next look reads the copy that is there from its start (rebuild.ts). */
const beyondAnyCopy = 999_999_999_999_999_999n;

export const isTorn = (place: Place, region: string | undefined): boolean =>
  region !== undefined && mirrorOf(place, region)?.rebuiltAt === beyondAnyCopy;

/**
 * MirrorMaker leaves nothing out. The next record of a copy may have stood further in its own log than the view has come. Then the copy was made anew,
 * and is now as long as the old one was. The records between stand before it, in part or all of them.
 * @returns the place from which the copy is read again; undefined where nothing is missing. While a copy is read again a gap is passed: its own log
 * has lost these records.
 */
export function placeBeforeGap(place: Place, region: string, records: readonly LogRecord[]): Place | undefined {
  const known = mirrorOf(place, region);
  if (known === undefined || known.reached === 0n || known.next < known.rebuiltAt) return undefined;
  const origins = records.map((record) => ({ record, origin: homeOf(record, region) }));
  const next = origins.find(({ record, origin }) => origin !== undefined && !isPutBack(record, origin))?.origin;
  if (next === undefined || next.logId !== known.logId || next.offset <= known.reached) return undefined;
  const torn = (place.mirrors ?? []).map((one) => (one === known ? { ...one, rebuiltAt: beyondAnyCopy } : one));
  return { ...place, mirrors: torn };
}

/** The place after these records, the newest last. */
export function placeAfter(place: Place, region: string | undefined, records: readonly LogRecord[]): Place {
  const next = records.at(-1)!.offset + 1n;
  if (region === undefined) return { ...place, next };
  // The time of a record that was put back says nothing about its log, which may be silent.
  const newest = records.findLast((record) => !isPutBack(record, homeOf(record, region)));
  const mirrors = (place.mirrors ?? []).map((one): MirrorPlace => {
    if (one.region !== region) return one;
    if (newest === undefined) return { ...one, next };
    const heardMs = Math.max(one.heardMs, newest.timestampMs);
    const { logId, offset } = homeOf(newest, region) ?? { logId: one.logId, offset: -1n };
    // A repeated block begins again at an offset that was reached before.
    const reached = logId === one.logId && one.reached > offset ? one.reached : offset + 1n;
    return { ...one, next, logId, reached, heardMs };
  });
  return { ...place, mirrors };
}

/**
 * Up to when every log was heard. A death shortly before must not be forgotten: a silent copy may still bring a repeat of a command
 * that died here long ago. So may a log that is read anew, whenever it was heard last.
 */
export function heardEverywhereMs(place: Place, ownMs: number): number {
  const { mirrors = [] } = place;
  if (mirrors.length > 0 && isRebuilding(place)) return 0;
  return Math.min(ownMs, ...mirrors.map(({ heardMs }) => heardMs));
}

/**
 * Whether the cart holds this record already: restored from a snapshot, or copied twice. The cart has passed a record that was put back, too. The
 * mark of that record decides (apply-record.ts). @throws UndecodableRecord
 */
export function holds(cart: CartRecord, record: LogRecord, region: string | undefined): boolean {
  if (region === undefined) return record.offset < cart.position;
  const origin = homeOf(record, region);
  if (origin === undefined) throw new UndecodableRecord('a copied record does not say where it stands in its own log');
  return !isPutBack(record, origin) && hasPassed(cart, origin);
}

/** Whether the cart was read beyond this place of another region's log. */
export function hasPassed(cart: CartRecord, origin: LogOffset): boolean {
  return origin.offset < (offsetIn(cart.inRegions?.positions, origin) ?? 0n);
}

type Positions = Pick<CartRecord, 'position' | 'inRegions'>;

/** The cart's positions once it holds this record. */
export function positionsAfter(cart: CartRecord, record: Pick<LogRecord, 'offset' | 'headers'>, region: string | undefined): Positions {
  if (region === undefined) return { position: record.offset + 1n };
  const origin = homeOf(record, region);
  if (origin === undefined) return cart;
  const positions = furthestOffsets(cart.inRegions?.positions, [{ ...origin, offset: origin.offset + 1n }])!;
  return { position: cart.position, inRegions: { positions, missing: cart.inRegions?.missing ?? [] } };
}

/**
 * The offset up to which the cart holds each log. A guest's cart is known by them. In a copy that is below the oldest record that waits here: the
 * record's own region has it, and forwards it with offsets that are further. A record that waits in the own log takes nothing back. Its redrive
 * gets a further offset, and what the guest does until then must be newer too.
 */
export function offsetsOf({ position, inRegions }: CartRecord, own: Pick<LogOffset, 'region' | 'logId'>): readonly LogOffset[] {
  const { region, logId } = own;
  const { positions = [], missing = [] } = inRegions ?? {};
  const held = positions.map((of): LogOffset => {
    const ends = missing.filter((one) => offsetIn([one], of) !== undefined).map(({ offset }) => offset);
    return { ...of, offset: ends.reduce((one, other) => (other < one ? other : one), of.offset) - 1n };
  });
  const copied = held.filter(({ offset }) => offset >= 0n);
  return furthestOffsets(position > 0n ? [{ region, logId, offset: position - 1n }] : [], copied)!;
}
