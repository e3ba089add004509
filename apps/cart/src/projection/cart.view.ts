/**
 * The view of carts: what reads are answered from. It is a copy of the log and nothing else; losing it loses time, not lines.
 * Two adapters (Redis, in-memory) under one contract suite. The carts of a partition stand beside the partition's watermark and change with
 * it in one atomic step; that, and the comparison with the predecessor, is all that redelivery, rebalance and rollback need.
 */
import type { CartRecord } from '../model/codec.ts';

/** How far a partition has been applied. */
export interface Place {
  /** The watermark: the offset of the next record. */
  readonly next: bigint;
  /** Until the watermark is here a lost view is being rebuilt, and its carts may lack lines. 0 when it never was. */
  readonly rebuiltAt: bigint;
  /** Guest events below this were forwarded to their users' carts before the view was lost. */
  readonly forwardedTo: bigint;
  /** Which log the offsets are of: those of another cluster mean nothing. */
  readonly logId: string;
}

export interface Change {
  /** Written only where the partition's place is this one; undefined: where it has none. */
  readonly expected: Place | undefined;
  /** Undefined leaves the place as it is (a restore before the place is known). */
  readonly place: Place | undefined;
  readonly carts: readonly CartRecord[];
  /** By cart: the traceparent of the change, which goes out with the notice. */
  readonly traces?: ReadonlyMap<string, string>;
}

export interface CartNotice {
  readonly cartId: string;
  /** Undefined when notices may have been missed: read again. */
  readonly watermark: bigint | undefined;
  /** Of the change, where it is known. */
  readonly traceparent?: string | undefined;
}

export interface CartView {
  /** One consistent look at a partition. A cart without a record is absent. @throws ViewUnavailable */
  load(partition: number, cartIds: readonly string[]): Promise<{ place: Place | undefined; carts: Map<string, CartRecord> }>;
  /** Those that there are. @throws ViewUnavailable */
  places(partitions: readonly number[]): Promise<Map<number, Place>>;
  /** All or nothing; announces the carts. False when the place is not the expected one. @throws ViewUnavailable: the outcome is unknown */
  apply(partition: number, change: Change): Promise<boolean>;
  /** Carts whose oldest event that no snapshot holds is older than this, oldest first. @throws ViewUnavailable */
  due(partition: number, beforeMs: number, countMax: number): Promise<string[]>;
  /** Forgets the partition: its log was replaced by another. @throws ViewUnavailable */
  reset(partition: number): Promise<void>;
  /** Calls back after each change of this cart, whichever process applied it. Returns the unsubscribe function. */
  watch(partition: number, cartId: string, listener: (notice: CartNotice) => void): () => void;
  /** The store was away, and may have come back with less: compare the watermarks. */
  onReturn(listener: () => void): void;
  /** For /readyz. */
  status(): Promise<{ readonly ok: boolean; readonly kind: 'redis' | 'memory'; readonly runId?: string }>;
  close(): Promise<void>;
}

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
