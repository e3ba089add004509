/**
 * Keeps the wish to order, from the press of the button until a definite answer. It has one Idempotency-Key and stands in this tab's storage.
 * So a person who reloads after a lost answer asks for the same order again, not for a second one.
 */
import type { OrderWish } from '../api/api.types.ts';
import { ApiProblem } from '../api/request.ts';

export interface OrderIntent {
  readonly key: string;
  /** The owner. On a shared computer the next person must not send it. */
  readonly userId: string;
  readonly wish: OrderWish;
  readonly madeAtMs: number;
  /** The page told the person that no answer came, and repeats the order when they say so. Absent: the page was closed while it asked. */
  readonly unsure?: boolean;
}

/** A person waits no longer for an answer. To forget an order that was taken is harmless: its cart lines cannot be ordered a second time. */
export const intentLifetimeMs = 30 * 60_000;

export interface IntentStore {
  readonly read: (userId: string) => OrderIntent | undefined;
  readonly write: (intent: OrderIntent) => void;
  readonly forget: () => void;
}

const place = 'order-intent';

/** @param storage of this tab; if it is full or forbidden, an intent lasts as long as the page */
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
        // The intent stays in memory.
      }
    },
    forget: () => {
      inMemory = undefined;
      try {
        storage().removeItem(place);
      } catch {
        // It was never written.
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

/** After one of these codes no order of this key can be paid any more. The next press is another order. */
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

/** The gateway answers these before it looks at the order. */
const doorRefusals: ReadonlySet<string> = new Set([
  'home_region_unreachable',
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
 * Whether it is certain that this key ordered nothing.
 * @param maybeTaken an earlier attempt with this key got no answer, and a refusal at the door says nothing about that one
 */
export function isDefinite(error: unknown, maybeTaken: boolean): boolean {
  if (!(error instanceof ApiProblem)) return false;
  return refusals.has(error.code) || (doorRefusals.has(error.code) && !maybeTaken);
}

/**
 * Makes one attempt. A person who leaves the page during it finds the intent again. After a certain refusal the intent is gone: the page may ask
 * for a fresh proof next, and a person who reloads instead has ordered nothing.
 * @param maybeTaken called after the attempt, because the attempt itself may lose its answer
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
