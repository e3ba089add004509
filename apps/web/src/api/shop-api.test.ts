import { describe, expect, it } from 'vitest';
import { everyProduct } from './product-query.ts';
import { createPendingStore } from './pending-store.ts';
import { ApiProblem, type Fetch } from './request.ts';
import { attemptsMax, retryDelayMs } from './retry.ts';
import { createShopApi } from './shop-api.ts';
import { uuidV7 } from './uuid.ts';

const nowMs = 1_790_000_000_000;

const memory = (): Pick<Storage, 'getItem' | 'setItem'> => ({ getItem: () => null, setItem: () => undefined });

/** Answers in turn; a number is an empty answer of that status, an Error the lack of any. */
function apiOf(answers: readonly (Response | Error)[]) {
  const sent: { path: string; init: RequestInit; body: Record<string, unknown> }[] = [];
  const slept: number[] = [];
  let next = 0;
  const fetch: Fetch = (path, init) => {
    sent.push({ path, init, body: typeof init.body === 'string' ? JSON.parse(init.body) : {} });
    const answer = answers[next++];
    if (answer === undefined) throw new Error('more requests than answers');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone());
  };
  let seed = 0;
  const api = createShopApi({
    fetch,
    store: createPendingStore(memory, () => nowMs),
    owner: () => ({ cartId: 'g_1' }),
    nowMs: () => nowMs,
    onProblem: () => {},
    random: () => 0.5,
    randomBytes: (count) => Uint8Array.from({ length: count }, () => (seed += 7) % 256),
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  });
  return { api, sent, slept };
}

const problemOf = (code: string, status: number, extra: object = {}, headers: Record<string, string> = {}): Response =>
  Response.json(
    { type: 'about:blank', title: code, status, code, ...extra },
    { status, headers: { ...headers, 'content-type': 'application/problem+json' } },
  );
const accepted = Response.json({ commandId: 'x', lineId: 'l', seen: 's' }, { status: 202 });

describe('a command', () => {
  it('carries a UUIDv7 made in the client', async () => {
    const { api, sent } = apiOf([accepted]);
    await api.addLine({ productId: 'top-hat', options: { Size: '56' }, quantity: 2 }, 'adding it');
    const commandId = String(sent[0]?.body['commandId']);
    expect(commandId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(commandId.slice(0, 13).replace('-', ''), 16)).toBe(nowMs);
    expect(sent[0]).toMatchObject({ path: '/api/cart/lines', body: { productId: 'top-hat', options: { Size: '56' }, quantity: 2 } });
  });
  it.each([
    ['a lost connection', new TypeError('Failed to fetch')],
    ['an unknown outcome', problemOf('outcome_unknown', 503)],
    ['an unavailable part', problemOf('unavailable', 503)],
    ['a bare 502 of a proxy', new Response('<html>', { status: 502 })],
  ])('is repeated with the same id after %s', async (_name, failure) => {
    const { api, sent } = apiOf([failure, failure, accepted]);
    await api.setQuantity('line 1', 3, 'seen', 'setting it');
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ body }) => body['commandId'])).size).toBe(1);
    expect(sent[2]?.path).toBe('/api/cart/lines/line%201');
  });
  it('gives up after a bounded number of attempts and says what happened', async () => {
    const { api, sent, slept } = apiOf(Array.from({ length: 9 }, () => new TypeError('Failed to fetch')));
    await expect(api.clearCart('seen')).rejects.toMatchObject({ code: 'still_asking' });
    expect(sent).toHaveLength(attemptsMax);
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000);
  });
  it('is not repeated when it was refused', async () => {
    const { api, sent } = apiOf([problemOf('unknown_line', 422)]);
    await expect(api.removeLine('l', 's', 'removing it')).rejects.toMatchObject({ code: 'unknown_line' });
    expect(sent).toHaveLength(1);
  });
  it('has another id than the command before it', async () => {
    const { api, sent } = apiOf([accepted, accepted]);
    await api.addLine({ productId: 'a', options: {}, quantity: 1 }, 'a');
    await api.addLine({ productId: 'a', options: {}, quantity: 1 }, 'a');
    expect(sent[0]?.body['commandId']).not.toBe(sent[1]?.body['commandId']);
  });
});

describe('a request', () => {
  it('is JSON whenever it is unsafe, so that no form of another site can send it', async () => {
    const { api, sent } = apiOf([new Response(null, { status: 204 }), Response.json({ state: 'none' })]);
    await api.logout();
    await api.session();
    expect(sent[0]?.init).toMatchObject({ method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
    expect(sent[1]?.init.headers).toBeUndefined();
  });
  it('leaves empty search terms out of the address and escapes the rest', async () => {
    const page = Response.json({ items: [], total: 0, page: 1, pageSize: 24 });
    const { api, sent } = apiOf([page, page]);
    await api.products(everyProduct);
    await api.products({ ...everyProduct, query: 'a&b', category: 'Bags', page: 2 });
    expect(sent.map(({ path }) => path)).toEqual([
      '/api/products?page=1&pageSize=24',
      '/api/products?query=a%26b&category=Bags&page=2&pageSize=24',
    ]);
  });
  it("shows the gateway's own words for a problem, and which field is wrong", async () => {
    const errors = [{ field: 'body.name', message: 'at most 100 characters' }];
    const { api } = apiOf([
      problemOf('invalid_credentials', 401, { title: 'E-mail or password is wrong.' }),
      problemOf('invalid_request', 400, { errors }),
    ]);
    await expect(api.login({ email: 'a@b.c', password: 'x' })).rejects.toMatchObject({
      code: 'invalid_credentials',
      status: 401,
      message: 'E-mail or password is wrong.',
    });
    await expect(api.updateProfile({ name: 'x' })).rejects.toThrow('This was not accepted. name: at most 100 characters.');
  });
  it('tells how to go on with a sign-in that needs a second factor', async () => {
    const secondFactor = { challenge: 'c_1', methods: ['totp', 'recovery_code'] };
    const { api } = apiOf([problemOf('second_factor_required', 401, secondFactor), problemOf('invalid_credentials', 401, secondFactor)]);
    const login = () => api.login({ email: 'a@b.c', password: 'x' });
    await expect(login()).rejects.toMatchObject({ code: 'second_factor_required', secondFactor });
    await expect(login()).rejects.toMatchObject({ secondFactor: undefined });
  });
  it('never shows what an unknown answer says', async () => {
    const { api } = apiOf([
      new Response('<h1>stack trace</h1>', { status: 500 }),
      Response.json({ code: 'internal', title: 'stack trace' }, { status: 500 }),
    ]);
    for (let answers = 0; answers < 2; answers++) {
      const error = await api.session().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(ApiProblem);
      expect(String(error)).not.toContain('stack trace');
    }
  });
});

describe('an order', () => {
  const wish = { addressId: 'home', seen: 's', expectedTotal: 4200, paymentMethod: 'card_pays' };
  const placed = Response.json({ orderId: 'o', status: 'placed' }, { status: 201 });
  it('is asked for again with its own key when the answer is lost, and says so', async () => {
    const { api, sent } = apiOf([new TypeError('Failed to fetch'), problemOf('deadline_exceeded', 504), placed]);
    let doubts = 0;
    await expect(api.placeOrder('key-1', wish, () => doubts++)).resolves.toMatchObject({ orderId: 'o' });
    expect(sent.map(({ init }) => (init.headers as Record<string, string>)['idempotency-key'])).toEqual(['key-1', 'key-1', 'key-1']);
    expect(new Set(sent.map(({ init }) => init.body)).size).toBe(1);
    expect(doubts).toBe(2);
  });
  it('is not asked for again when it was refused, and the refusal brings how things are now', async () => {
    const { api, sent } = apiOf([
      problemOf('price_changed', 409, { preview: { total: 4900 } }),
      problemOf('cart_changed', 409, { cart: { seen: 'newer' } }),
    ]);
    const refused = (): Promise<unknown> => api.placeOrder('key-1', wish, () => {}).catch((error: unknown) => error);
    expect(await refused()).toMatchObject({ code: 'price_changed', now: { preview: { total: 4900 } } });
    expect(await refused()).toMatchObject({ code: 'cart_changed', now: { cart: { seen: 'newer' } } });
    expect(sent).toHaveLength(2);
  });
});

describe('retryDelayMs', () => {
  const unavailable = new ApiProblem('unavailable', 503, '', 0);
  it('grows, and stays within its bound', () => {
    const delays = [1, 2, 3, 4].map((attempt) => retryDelayMs(unavailable, attempt, 0.999) ?? 0);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(Math.max(...delays)).toBeLessThanOrEqual(4_000);
    expect(retryDelayMs(unavailable, attemptsMax, 0)).toBeUndefined();
  });
  it('waits as long as it is told, within reason', () => {
    expect(retryDelayMs(new ApiProblem('unavailable', 503, '', 2_000), 1, 0)).toBe(2_000);
    expect(retryDelayMs(new ApiProblem('unavailable', 503, '', 3_600_000), 1, 0)).toBe(4_000);
  });
  it.each(['session_ended', 'too_many_attempts', 'invalid_request', 'command_conflict', 'internal'] as const)(
    'does not repeat %s',
    (code) => {
      expect(retryDelayMs(new ApiProblem(code, 400, ''), 1, 0)).toBeUndefined();
    },
  );
});

describe('uuidV7', () => {
  it('has its time, version and variant where RFC 9562 puts them', () => {
    // Appendix A.6 of the RFC.
    const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });
  it('needs all of its random bytes', () => {
    expect(() => uuidV7(1, new Uint8Array(9))).toThrow(RangeError);
  });
});
