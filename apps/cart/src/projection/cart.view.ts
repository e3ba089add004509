/**
 * The view of carts answers reads. It is only a copy of the log, so losing it costs time and no lines. Two adapters (Redis, in-memory) pass
 * one contract suite. The carts of a partition stand beside the partition's watermark, and one atomic step changes both. This step also
 * compares the place with the expected one. So redelivery, rebalance and rollback need nothing else.
 */
import type { CartRecord } from '../model/codec.ts';

/** How far the copy of another region's log has been applied. */
export interface MirrorPlace {
  readonly region: string;
  /** The offset of the next record in the copy. */
  readonly next: bigint;
  /** As in `Place`, for the copy. */
  readonly rebuiltAt: bigint;
  /** In the region's own log: the offset after the newest applied record. A consistency token of that region is compared with it. */
  readonly reached: bigint;
  /** When the region's log took the newest applied record; 0 before the first. */
  readonly heardMs: number;
  /** The region's own log, which the offset `reached` belongs to. */
  readonly logId: string;
}

/** How far a partition has been applied. */
export interface Place {
  /** The watermark: the offset of the next record. */
  readonly next: bigint;
  /**
   * A lost view is being rebuilt until the watermark reaches this offset, and its carts may lack lines until then. 0 when it never was
   * lost.
   */
  readonly rebuiltAt: bigint;
  /** Guest events below this offset were forwarded to their users' carts before the view was lost. Says nothing where there are mirrors. */
  readonly forwardedTo: bigint;
  /** The log of these offsets. Offsets of another cluster's log mean nothing here. */
  readonly logId: string;
  /** One for each other region. Absent in a shop of one region. */
  readonly mirrors?: readonly MirrorPlace[];
}

export interface Change {
  /** The change is written only when the partition's place is this one; undefined: only when it has none. */
  readonly expected: Place | undefined;
  /** Undefined leaves the place as it is (a restore before the place is known). */
  readonly place: Place | undefined;
  readonly carts: readonly CartRecord[];
  /** By cart: the traceparent of the change. The notice carries it. */
  readonly traces?: ReadonlyMap<string, string>;
}

export interface CartNotice {
  readonly cartId: string;
  /** Undefined when notices may have been missed: the listener reads again. */
  readonly watermark: bigint | undefined;
  /** The traceparent of the change, where it is known. */
  readonly traceparent?: string | undefined;
}

export interface CartView {
  /** Reads a partition in one consistent step. A cart without a record is absent. @throws ViewUnavailable */
  load(partition: number, cartIds: readonly string[]): Promise<{ place: Place | undefined; carts: Map<string, CartRecord> }>;
  /** Partitions without a place are absent. @throws ViewUnavailable */
  places(partitions: readonly number[]): Promise<Map<number, Place>>;
  /**
   * Writes all or nothing, and announces the carts. False when the place is not the expected one. @throws ViewUnavailable: outcome unknown
   */
  apply(partition: number, change: Change): Promise<boolean>;
  /** Carts whose oldest event that no snapshot holds is older than this, oldest first. @throws ViewUnavailable */
  due(partition: number, beforeMs: number, countMax: number): Promise<string[]>;
  /** Forgets the partition, because another log has replaced its own. @throws ViewUnavailable */
  reset(partition: number): Promise<void>;
  /** Calls back after each change of this cart, whichever process applied it. @returns the unsubscribe function */
  watch(partition: number, cartId: string, listener: (notice: CartNotice) => void): () => void;
  /** Calls back when the store returns. It may have lost writes, so the caller compares the watermarks. */
  onReturn(listener: () => void): void;
  /** For /readyz. */
  status(): Promise<{ readonly ok: boolean; readonly kind: 'redis' | 'memory'; readonly runId?: string }>;
  close(): Promise<void>;
}

/** A lost view lacks lines until it has read again what each log held. */
export const isRebuilding = ({ next, rebuiltAt, mirrors = [] }: Place): boolean =>
  next < rebuiltAt || mirrors.some((one) => one.next < one.rebuiltAt);

export function samePlace(a: Place | undefined, b: Place | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isOfOwnLog = a.next === b.next && a.rebuiltAt === b.rebuiltAt && a.forwardedTo === b.forwardedTo && a.logId === b.logId;
  return isOfOwnLog && (a.mirrors === b.mirrors || mirrorsText(a) === mirrorsText(b));
}

/** The places of the copies as the view keeps them, each after a space. Empty in a shop of one region. */
export const mirrorsText = ({ mirrors = [] }: Place): string =>
  mirrors
    .map(({ region, next, rebuiltAt, reached, heardMs, logId }) => ` ${region}:${next}:${rebuiltAt}:${reached}:${heardMs}:${logId}`)
    .join('');

/** The store cannot be reached or did not answer in time. */
export class ViewUnavailable extends Error {
  override readonly name = 'ViewUnavailable';
}

/** For adapters: whatever their client throws means that the store was not reached. */
export async function reach<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ViewUnavailable('the cart view does not answer', { cause: error });
  }
}
