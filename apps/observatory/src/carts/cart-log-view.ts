/** The log of a cart, as the page is told it. */

/** `GET /api/carts/:id`: the log of one cart, and the cart after each record, folded by cart's own rules. */
export interface CartLogView {
  readonly cartId: string;
  readonly partition: number;
  /** The oldest first. What retention has taken is not there. */
  readonly steps: readonly CartStepView[];
}

export interface CartStepView {
  /** A whole number as text, because offsets have 64 bits. */
  readonly offset: string;
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
    readonly lines: readonly { readonly lineId: string; readonly quantity: number; readonly dots: readonly unknown[] }[];
    readonly coupons: readonly unknown[];
    readonly dead: unknown;
    readonly joined: unknown;
    readonly claimedBy: string | undefined;
    /** Guests whose join is known and whose state has not come yet. */
    readonly missing: readonly unknown[];
  };
}
