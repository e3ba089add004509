import { describe, expect, it } from 'vitest';
import { attemptIntent, createIntentStore, intentLifetimeMs, isDefinite, type OrderIntent } from './order-intent.ts';
import { ApiProblem } from '../api/request.ts';

const nowMs = 1_790_000_000_000;
const wish = { addressId: 'home', seen: 's', expectedTotal: 4200, paymentMethod: 'card_pays' };
const intent: OrderIntent = { key: 'key-1', userId: 'ada', wish, madeAtMs: nowMs };

/** A tab's storage, which outlives the page. */
function tab(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

const problem = (code: string): ApiProblem => new ApiProblem(code, 400, code);

describe('a wish to order', () => {
  it('is the same one after a reload, with its key and all that was asked for', () => {
    const storage = tab();
    createIntentStore(
      () => storage,
      () => nowMs,
    ).write(intent);
    const reloaded = createIntentStore(
      () => storage,
      () => nowMs + 1_000,
    );
    expect(reloaded.read('ada')).toEqual(intent);
    reloaded.forget();
    expect(reloaded.read('ada')).toBeUndefined();
  });
  it('is never sent for another person, nor after its time', () => {
    const storage = tab();
    let time = nowMs;
    const store = createIntentStore(
      () => storage,
      () => time,
    );
    store.write(intent);
    expect(store.read('grace')).toBeUndefined();
    time += intentLifetimeMs;
    expect(store.read('ada')).toBeUndefined();
  });
  it('lasts as long as the page where nothing may be stored', () => {
    const forbidden = createIntentStore(
      () => {
        throw new DOMException('denied', 'SecurityError');
      },
      () => nowMs,
    );
    forbidden.write(intent);
    expect(forbidden.read('ada')).toEqual(intent);
    forbidden.forget();
    expect(forbidden.read('ada')).toBeUndefined();
  });
  it('is not made of what somebody else left in the storage', () => {
    const storage = tab();
    storage.setItem('order-intent', '{"key":7}');
    const store = createIntentStore(
      () => storage,
      () => nowMs,
    );
    expect(store.read('ada')).toBeUndefined();
    storage.setItem('order-intent', 'not json');
    expect(store.read('ada')).toBeUndefined();
  });
});

describe('an attempt', () => {
  const started = () => {
    const storage = tab();
    const open = () =>
      createIntentStore(
        () => storage,
        () => nowMs,
      );
    return { intents: open(), afterReload: () => open().read('ada') };
  };
  const refuse = (code: string) => () => Promise.reject(problem(code));

  it('is found again by whoever reloads during it', async () => {
    const { intents, afterReload } = started();
    const during = await attemptIntent(
      intents,
      intent,
      () => false,
      () => Promise.resolve(afterReload()),
    );
    expect(during).toEqual(intent);
  });
  it('leaves nothing to be sent unasked while a proof is asked for, and is kept again with that proof', async () => {
    const { intents, afterReload } = started();
    await expect(attemptIntent(intents, intent, () => false, refuse('step_up_required'))).rejects.toMatchObject({
      code: 'step_up_required',
    });
    expect(afterReload()).toBeUndefined();
    await expect(attemptIntent(intents, intent, () => false, refuse('network'))).rejects.toMatchObject({ code: 'network' });
    expect(afterReload()).toEqual(intent);
  });
  it('is kept while a proof is asked for, if an answer was lost just before', async () => {
    const { intents, afterReload } = started();
    let lost = false;
    const lostThenRefused = (): Promise<never> => {
      lost = true;
      return Promise.reject(problem('step_up_required'));
    };
    await expect(attemptIntent(intents, intent, () => lost, lostThenRefused)).rejects.toMatchObject({ code: 'step_up_required' });
    expect(afterReload()).toEqual(intent);
  });
});

describe('the next press', () => {
  it.each(['payment_declined', 'order_cancelled', 'price_changed', 'cart_changed', 'out_of_stock', 'unknown_address', 'limit_exceeded'])(
    'is another order after %s',
    (code) => {
      expect([isDefinite(problem(code), false), isDefinite(problem(code), true)]).toEqual([true, true]);
    },
  );
  it.each(['network', 'unavailable', 'outcome_unknown', 'deadline_exceeded', 'identity_unavailable', 'internal'])(
    'is the same order after %s',
    (code) => {
      expect([isDefinite(problem(code), false), isDefinite(problem(code), true)]).toEqual([false, false]);
    },
  );
  it.each(['step_up_required', 'session_ended', 'too_many_requests', 'home_region_unreachable'])(
    'is the same order after %s, if an attempt before it got no answer',
    (code) => {
      expect([isDefinite(problem(code), false), isDefinite(problem(code), true)]).toEqual([true, false]);
    },
  );
});
