/** The log of a cart, as the page is told it. */

/**
 * `GET /api/carts/:id[?region=eu]`: the log of one cart, and the cart after each record, folded by cart's own rules. With two regions each has the cart
 * as it knows it: out of its own log, and of its copy of the other one.
 */
export interface CartLogView {
  readonly cartId: string;
  /** Undefined where there is one region. */
  readonly region?: string | undefined;
  readonly partition: number;
  /** Guest carts that joined this one, each with its own partition. */
  readonly guests: readonly { readonly cartId: string; readonly partition: number; readonly upToOffset: string }[];
  /** The oldest first. What retention has taken is not there. */
  readonly steps: readonly CartStepView[];
}

export interface CartStepView {
  /** A whole number as text, because offsets have 64 bits. In the log that took the record. */
  readonly offset: string;
  /** The region whose log took it; undefined where there is one region. */
  readonly region?: string | undefined;
  /** When the log took the record. */
  readonly atMs: number;
  /** The request that caused it; undefined where none did, and where its trace was not told. */
  readonly traceId: string | undefined;
  /** The event with its `type`; undefined where this build cannot read it. */
  readonly event: Readonly<Record<string, unknown>> | undefined;
  readonly unreadable: string | undefined;
  /** False for a repeat, and for a command that was dead before it arrived. */
  readonly changed: boolean;
  readonly after: {
    readonly lines: readonly { readonly lineId: string; readonly quantity: number; readonly dots: readonly string[] }[];
    readonly coupons: readonly { readonly code: string; readonly dots: readonly string[] }[];
    /** By command id, since when. */
    readonly dead: Readonly<Record<string, number>>;
    /** By the guest's cart id. */
    readonly joined: Readonly<Record<string, { readonly guestOffset: string }>>;
    readonly claimedBy: string | undefined;
    /** Guests whose join is known and whose state has not come yet. */
    readonly missing: readonly unknown[];
  };
}

/**
 * `GET /api/carts/:id/devices[?mine=ID][&region=eu]`: what each device has seen of a cart, by the kept spans, the last seen first. Offsets are those of
 * one region's log, so with two regions only the answers of that region count.
 */
export interface CartDevicesView {
  readonly devices: readonly CartDeviceView[];
}

/** One session that read the cart or wrote to it. */
export interface CartDeviceView {
  /** The handle of its session. */
  readonly session: string;
  /** "Chrome on Linux" */
  readonly device: string | undefined;
  readonly isMine: boolean;
  readonly lastAtMs: number;
  /** The position that its last read was answered with. Undefined where it has read nothing yet. */
  readonly shown: { readonly offset: string; readonly atMs: number; readonly traceId: string } | undefined;
  /** The newest position that it was told, by a read or by a command: its next read asks for this at least. */
  readonly token: string;
}
