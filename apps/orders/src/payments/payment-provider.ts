/**
 * The port to whoever moves the money. What every implementation must keep, since the saga rests on it:
 *  - a key is charged at most once, however often and from wherever it is asked, and its outcome never changes;
 *  - a key that was closed is never charged, also by a call that was under way;
 *  - an outcome is told to whoever asks by the key, at the latest after the provider's own time-out, whether or not a callback came.
 * Callbacks come at least once: repeated, before the answer, or late.
 */
export type Outcome = { readonly status: 'captured'; readonly chargeId: string } | { readonly status: 'declined' };
export type Answer = Outcome | { readonly status: 'unknown' };

export interface ChargeRequest {
  /** The order's id. */
  readonly key: string;
  /** In minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly method: string;
}

export type CallbackListener = (key: string, outcome: Outcome) => Promise<void>;

export interface PaymentProvider {
  /** What a person may pay with; the first is for who says nothing. */
  readonly methods: readonly string[];
  /** @param signal ends the wait and not the charge: the answer is unknown then */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<Answer>;
  /** 'none': it never heard of that key, and may yet: a charge can be under way. */
  find(key: string): Promise<Answer | { readonly status: 'none' }>;
  /** No charge by this key captures after this: a captured one is answered as it is, all else is declined from here on. */
  close(key: string): Promise<Answer>;
  onCallback(listener: CallbackListener): void;
}
