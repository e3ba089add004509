/** `GET /api/places`: what each process tells about the partitions that it owns, and the logs that it reads. */
export interface PlacesView {
  readonly partitions: readonly PartitionView[];
  readonly readers: readonly ReaderView[];
}

/** `GET /api/places/slots[?mine=ID]`: the Redis cluster of the sessions. Without one, `nodes` is empty. */
export interface SlotsView {
  readonly nodes: readonly SlotNodeView[];
  /** The sessions of the trainee, the last used first. */
  readonly sessions: readonly SlotSessionView[];
}

export interface SlotNodeView {
  readonly process: string;
  readonly role: 'primary' | 'replica' | 'no answer';
  /** The primary that a replica copies. */
  readonly of: string | undefined;
  readonly slotCount: number;
  readonly keyCount: number | undefined;
}

export interface SlotSessionView {
  readonly handle: string;
  readonly subject: string | undefined;
  readonly tag: string;
  /** 0 to 16,383: CRC16 of the tag. */
  readonly slot: number;
  readonly primary: string | undefined;
  readonly replica: string | undefined;
}

/** `POST /api/places/slots/:slot/move`: really moved, from one primary to the next. */
export interface SlotMoveView {
  readonly slot: number;
  readonly from: string;
  readonly to: string;
  readonly keyCount: number;
  readonly durationMs: number;
  readonly reads: ReadsView;
}

/** `POST /api/places/primaries/:process/kill`: the supervisor kills it, and starts it again. */
export interface PrimaryKillView {
  readonly process: string;
  /** The primary of the same slots when the reads succeeded again. */
  readonly successor: string | undefined;
  readonly reads: ReadsView;
}

/** Reads through the shop, of a session on that primary, one after the other, while it happened. */
export interface ReadsView {
  readonly count: number;
  readonly failed: number;
  /** From the first failure to the first success after it. Undefined where none failed, and where none succeeded any more. */
  readonly outageMs: number | undefined;
}

/** One partition of carts, as the process tells it that owns it. Two owners may tell it for a moment, while it moves. */
export interface PartitionView {
  readonly partition: number;
  readonly owner: string;
  /** The owner's, where there are two. */
  readonly region?: string | undefined;
  /** The offset of the next record to apply: the watermark of the view. */
  readonly nextOffset: number;
  readonly lagRecords: number | undefined;
  readonly lagSeconds: number | undefined;
}

export interface ReaderView {
  readonly process: string;
  readonly group: string;
  readonly topic: string;
  /** As of the reader's last fetch. */
  readonly lagRecords: number;
  readonly lagSeconds: number | undefined;
}

/** `GET /api/places/leases`: the lease of each process on its cached identities, as of this moment. */
export interface LeasesView {
  readonly leases: readonly LeaseView[];
  /** A lease of this age is over, and its process asks auth. */
  readonly ofMs: number;
}

export interface LeaseView {
  readonly place: string;
  readonly ageMs: number;
  /** With two regions: where the process is, and the region whose sessions the lease is about. It has one for each. */
  readonly region?: string | undefined;
  readonly home?: string | undefined;
}
