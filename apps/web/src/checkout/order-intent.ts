/**
 * The wish to order, from the press of the button until a definite answer. One Idempotency-Key belongs to it, and it is kept in this tab's
 * storage: whoever reloads after a lost answer asks for the same order again, not for a second one.
 */
import type { OrderWish } from '../api/api.types.ts';
import { ApiProblem } from '../api/request.ts';

export interface OrderIntent {
  readonly key: string;
  /** Whose: on a shared computer the next person must not send it. */
  readonly userId: string;
  readonly wish: OrderWish;
  readonly madeAtMs: number;
  /** The person was told that no answer came: it is asked for again when they say so. Without: the page went away while it was asked for. */
  readonly unsure?: boolean;
}

/** Longer than anybody looks at an answer that does not come. Forgetting an order that was taken is harmless: what it took cannot be ordered again. */
export const intentLifetimeMs = 30 * 60_000;

export interface IntentStore {
  readonly read: (userId: string) => OrderIntent | undefined;
  readonly write: (intent: OrderIntent) => void;
  readonly forget: () => void;
}

const place = 'order-intent';

/** @param storage of this tab; may be full or forbidden, then an intent lasts as long as the page */
export function createIntentStore(storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>, nowMs: () => number): IntentStore {
  let inMemory: OrderIntent | undefined;
  const stored = (): OrderIntent | undefined => {
    try {
      return parse(storage().getItem(place)) ?? inMemory;
    } catch {
      return inMemory;
    }
  };
  return {
    read: (userId) => {
      const intent = stored();
      return intent?.userId === userId && nowMs() - intent.madeAtMs < intentLifetimeMs ? intent : undefined;
    },
    write: (intent) => {
      inMemory = intent;
      try {
        storage().setItem(place, JSON.stringify(intent));
      } catch {
        // Kept in memory.
      }
    },
    forget: () => {
      inMemory = undefined;
      try {
        storage().removeItem(place);
      } catch {
        // Never written.
      }
    },
  };
}

function parse(text: string | null): OrderIntent | undefined {
  if (text === null) return undefined;
  const { key, userId, wish, madeAtMs, unsure } = JSON.parse(text) as Partial<OrderIntent>;
  if (typeof key !== 'string' || typeof userId !== 'string' || typeof madeAtMs !== 'number' || typeof wish !== 'object') return undefined;
  return { key, userId, wish, madeAtMs, ...(unsure === true && { unsure }) };
}

/** After one of these there is no order of this key that could still be paid: the next press is another order. */
const refusals: ReadonlySet<string> = new Set([
  'cart_changed',
  'price_changed',
  'out_of_stock',
  'payment_declined',
  'order_cancelled',
  'unknown_address',
  'nothing_to_order',
  'limit_exceeded',
  'idempotency_key_reused',
]);

/** Refused at the door, before anything was looked at. */
const doorRefusals: ReadonlySet<string> = new Set([
  'invalid_request',
  'step_up_required',
  'session_required',
  'sign_in_required',
  'session_ended',
  'forbidden',
  'cross_site_request',
  'too_many_requests',
  'not_found',
]);

/**
 * Whether it is now known that nothing was ordered by this key.
 * @param maybeTaken an earlier attempt with this key got no answer: a refusal at the door says nothing about that one
 */
export function isDefinite(error: unknown, maybeTaken: boolean): boolean {
  if (!(error instanceof ApiProblem)) return false;
  return refusals.has(error.code) || (doorRefusals.has(error.code) && !maybeTaken);
}

/**
 * One attempt. Whoever leaves the page during it finds its intent again, but not after a refusal that leaves nothing in doubt: a proof may be
 * asked for next, and who reloads instead of giving it has ordered nothing.
 * @param maybeTaken asked after the attempt, which may itself have lost an answer
 */
export async function attemptIntent<Result>(
  intents: IntentStore,
  intent: OrderIntent,
  maybeTaken: () => boolean,
  attempt: () => Promise<Result>,
): Promise<Result> {
  intents.write(intent);
  try {
    return await attempt();
  } catch (error) {
    if (isDefinite(error, maybeTaken())) intents.forget();
    throw error;
  }
}
