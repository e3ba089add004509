/**
 * The port to the company that moves the money. The saga rests on these promises of every implementation:
 *  - The provider charges a key at most once, however often and from wherever it is asked. The outcome never changes.
 *  - The provider never charges a closed key, even by a call that was under way.
 *  - The provider tells an outcome to each caller that has the key, at the latest after its own time-out, with or without a callback.
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
  /** The means of payment that a person may choose. The first is the default. */
  readonly methods: readonly string[];
  /** @param signal ends the wait and not the charge: the answer is unknown then */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<Answer>;
  /** 'none': the provider has not heard of that key yet. A charge may still be under way. */
  find(key: string): Promise<Answer | { readonly status: 'none' }>;
  /** No charge by this key captures after this. The provider answers a captured charge as it is, and declines all others from here on. */
  close(key: string): Promise<Answer>;
  onCallback(listener: CallbackListener): void;
}
