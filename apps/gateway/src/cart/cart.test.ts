import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CartSchema, partitionOf, problem, ProductSchema, seenLengthMax, topics, uuidV7 } from '@cloakroom/contracts';
import { randomBytes } from 'node:crypto';
import { ask, openStage, type Stage, tokenIn } from '../testing/gateway.fixture.ts';
import { cartBody } from './cart-answer.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  const { cart, catalog, seen } = stage.services;
  Object.assign(cart, { failing: undefined, hangMs: 0, lines: [], behind: 0n, behindRegions: [] });
  catalog.failing = undefined;
  stage.auth.failing = undefined;
  seen.length = 0;
});

const commandId = (): string => uuidV7(Date.now(), randomBytes(10));
const add = (body: object, token?: string) =>
  ask(stage.url, '/api/cart/lines', {
    method: 'POST',
    body: { commandId: commandId(), productId: 'scarf', quantity: 1, ...body },
    ...(token !== undefined && { token }),
  });
const calls = (method: string) => stage.services.seen.filter((call) => call.method === method);

describe('a command that names a cart', () => {
  it('counts for the person whose sign-in claimed that guest cart', async () => {
    const token = stage.auth.begin('user', { claimedGuestCart: 'g_before' });
    const own = (await ask(stage.url, '/api/session', { token })).body;
    expect(own.claimedGuestCart).toBe('g_before');
    for (const cartId of ['g_before', own.cartId]) expect((await add({ cartId }, token)).status).toBe(202);
  });

  it('is refused without a session, says so, and begins none', async () => {
    const before = stage.auth.sessions.size;
    const told = await add({ cartId: 'g_before' });
    expect([told.status, told.body.code, told.setCookies]).toEqual([401, 'session_required', []]);
    expect([stage.auth.sessions.size, calls('addItem')]).toEqual([before, []]);
    expect((await add({})).status).toBe(202);
  });

  it('is refused for anybody else', async () => {
    const token = stage.auth.begin('user');
    const body = { commandId: commandId(), seen: 's', quantity: 1, cartId: 'u_somebody-else' };
    const sent = [
      await add({ cartId: body.cartId }, token),
      await ask(stage.url, '/api/cart/lines/line-cap', { method: 'PUT', body, token }),
      await ask(stage.url, '/api/cart/lines/line-cap', { method: 'DELETE', body, token }),
      await ask(stage.url, '/api/cart', { method: 'DELETE', body, token }),
      await ask(stage.url, '/api/cart/coupons/WINTER5', { method: 'PUT', body, token }),
      await ask(stage.url, '/api/cart/coupons/WINTER5', { method: 'DELETE', body, token }),
    ];
    expect(sent.map(({ status, body: { code } }) => [status, code])).toEqual(sent.map(() => [409, 'other_cart']));
    expect(sent.flatMap(({ setCookies }) => setCookies)).toEqual([]);
    expect(stage.services.seen.filter(({ method }) => /Item|Cart|Coupon|Quantity/.test(method))).toEqual([]);
  });
});

describe('adding to the cart', () => {
  it('begins a guest session at the first write, and takes the line', async () => {
    const id = commandId();
    const told = await add({ commandId: id });
    expect([told.status, told.body]).toEqual([202, { commandId: id, lineId: 'line-scarf', seen: `+${id}` }]);
    const token = tokenIn(told)!;
    expect((await ask(stage.url, '/api/session', { token })).body.state).toBe('guest');
    expect(calls('addItem')[0]?.ctx.identity?.subject).toBe(stage.auth.sessionOf(token).view.subject);
  });

  it('begins none for a command that is refused anyway', async () => {
    const before = stage.auth.sessions.size;
    for (const body of [{ productId: 'no-such' }, { quantity: 0 }, { commandId: 'x' }, { options: { Size: 'M' }, productId: 'cap' }]) {
      expect((await add(body)).setCookies).toEqual([]);
    }
    expect(stage.auth.sessions.size).toBe(before);
  });

  it('keeps the session that began though the line was lost: a retry must not begin another', async () => {
    stage.services.cart.failing = problem('outcome_unknown');
    const told = await add({});
    expect([told.status, told.body.code]).toEqual([503, 'outcome_unknown']);
    expect(tokenIn(told)).toBeDefined();
  });

  it('uses the session that is there', async () => {
    const token = stage.auth.begin('user');
    const told = await add({}, token);
    expect([told.status, told.setCookies.length]).toEqual([202, 1]);
    expect(told.setCookies[0]).toMatch(/^consistency=local:3:41; /);
  });

  it('checks product and options against the catalog', async () => {
    expect((await add({ productId: 'no-such' })).body.code).toBe('unknown_product');
    expect((await add({ productId: 'cap', options: { Colour: 'Green' } })).body).toMatchObject({ status: 422, code: 'unknown_product' });
    expect((await add({ productId: 'cap', options: { Size: 'M' } })).body.code).toBe('unknown_product');
    expect((await add({ productId: 'cap', options: { toString: 'x' } })).body.code).toBe('unknown_product');
    expect(calls('addItem')).toEqual([]);
  });

  it.each([
    ['an option whose name the cart would refuse', { options: { [`x${'y'.repeat(32)}`]: 'M' } }, 'options'],
    ['an option whose value the cart would refuse', { options: { Size: 'x'.repeat(65) } }, 'options'],
    ['a product id that no catalog has', { productId: 'cap.red' }, 'productId'],
    ['a seen that is longer than any', { seen: 'A'.repeat(seenLengthMax + 1) }, 'seen'],
  ])('names the field of %s, and asks nobody', async (_what, body, field) => {
    const told = await add(body);
    expect([told.status, told.body.code]).toEqual([400, 'invalid_request']);
    expect(told.body.errors[0].field).toContain(`body.${field}`);
    expect(calls('addItem')).toEqual([]);
  });

  it('takes the first value of an option that was left out', async () => {
    await add({ productId: 'cap' });
    await add({ productId: 'cap', options: { Colour: 'Red' } });
    expect(calls('addItem').map((call) => (call.request as { options: object[] }).options)).toMatchObject([
      [{ name: 'Colour', value: 'Blue' }],
      [{ name: 'Colour', value: 'Red' }],
    ]);
  });

  it('never believes a price or an owner that a client sends', async () => {
    const token = stage.auth.begin('user');
    await add({ price: 1, unitPrice: 1, subject: 'u_other' }, token);
    expect(calls('addItem')[0]?.ctx.identity?.subject).toBe(stage.auth.sessionOf(token).view.subject);
    expect(JSON.stringify(calls('addItem')[0]?.request)).not.toContain('u_other');
  });
});

describe('a command', () => {
  it('carries what was seen, and answers with a consistency token', async () => {
    const token = stage.auth.begin('guest');
    const body = { commandId: commandId(), seen: 's1' };
    const set = await ask(stage.url, '/api/cart/lines/line-1', { method: 'PUT', token, body: { ...body, quantity: 4 } });
    const removed = await ask(stage.url, '/api/cart/lines/line-1', { method: 'DELETE', token, body });
    const cleared = await ask(stage.url, '/api/cart', { method: 'DELETE', token, body });
    for (const told of [set, removed, cleared]) {
      expect([told.status, told.headers.get('consistency-token'), told.body.seen]).toEqual([202, 'local:3:41', `s1+${body.commandId}`]);
    }
    const long = `~${'x'.repeat(6_000)}`;
    const named = await ask(stage.url, `/api/cart/lines/${long}`, { method: 'PUT', token, body: { ...body, quantity: 1 } });
    expect([named.status, calls('setQuantity')[1]?.request]).toMatchObject([202, { lineId: long }]);
    expect(calls('setQuantity')[0]?.request).toMatchObject({ lineId: 'line-1', quantity: 4, seen: 's1' });
    expect(calls('removeItem')[0]?.request).toMatchObject({ lineId: 'line-1', seen: 's1' });
    expect(calls('clearCart')[0]?.request).toMatchObject({ seen: 's1' });
  });

  it('needs a session unless it is the first to add', async () => {
    const told = await ask(stage.url, '/api/cart', { method: 'DELETE', body: { commandId: commandId(), seen: '' } });
    expect([told.status, told.body.code]).toEqual([401, 'session_required']);
  });

  it.each(['deadline_exceeded', 'internal'] as const)('whose answer was lost is of unknown outcome: %s', async (code) => {
    stage.services.cart.failing = problem(code);
    const told = await add({}, stage.auth.begin('guest'));
    expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'outcome_unknown', '1']);
  });

  it('that the cart says was not taken is not of unknown outcome', async () => {
    stage.services.cart.failing = problem('unavailable', undefined, 3);
    const told = await add({}, stage.auth.begin('guest'));
    expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'unavailable', '3']);
    stage.services.cart.failing = problem('unavailable');
    expect((await add({}, stage.auth.begin('guest'))).body.code).toBe('unavailable');
    stage.services.cart.failing = problem('command_conflict');
    expect((await add({}, stage.auth.begin('guest'))).status).toBe(409);
  });

  it('ends within its budget though the cart service hangs', async () => {
    stage.services.cart.hangMs = 20_000;
    const startedMs = performance.now();
    const told = await add({}, stage.auth.begin('guest'));
    expect([told.status, told.body.code]).toEqual([503, 'outcome_unknown']);
    // The budget is 4 s. Without it the answer would come after 20 s.
    expect(performance.now() - startedMs).toBeLessThan(12_000);
  });
});

describe('the cart', () => {
  const line = (productId: string, quantity: number) => ({
    lineId: `line-${productId}`,
    productId,
    options: [{ name: 'Colour', value: 'Red' }],
    quantity,
    seen: `seen-${productId}`,
  });

  it('is shown with names and prices of the catalog', async () => {
    stage.services.cart.lines = [line('cap', 2), line('scarf', 1)];
    const token = stage.auth.begin('guest');
    const { body } = await ask(stage.url, '/api/cart', { token });
    expect(body).toMatchObject({
      cartId: stage.auth.sessionOf(token).view.subject,
      lines: [
        {
          lineId: 'line-cap',
          name: 'Cap',
          image: '/images/cap.svg',
          unitPrice: 1900,
          quantity: 2,
          options: { Colour: 'Red' },
          currency: 'EUR',
          available: true,
          inStock: 7,
        },
        { lineId: 'line-scarf', name: 'Scarf', unitPrice: 2500 },
      ],
      subtotal: 2 * 1900 + 2500,
      stale: false,
      behind: 0,
      merge: { state: 'none' },
    });
  });

  it('says how far it is behind what was written', async () => {
    stage.services.cart.behind = 7n;
    const { body } = await ask(stage.url, '/api/cart', { token: stage.auth.begin('guest') });
    expect(body).toMatchObject({ stale: true, behind: 7 });
    expect(body).not.toHaveProperty('behindRegions');
  });

  it('says by how much it is behind another region, where a copy is on its way', async () => {
    stage.services.cart.behindRegions = [{ region: 'eu', records: 3n }];
    const { body } = await ask(stage.url, '/api/cart', { token: stage.auth.begin('guest') });
    expect(body).toMatchObject({ stale: true, behind: 0, behindRegions: [{ region: 'eu', records: 3 }] });
  });

  it('names the options of a line in the order of the catalog', () => {
    const options = [
      { name: 'Colour', value: 'Red' },
      { name: 'Size', value: 'M' },
    ];
    const cart = create(CartSchema, { lines: [{ ...line('cap', 1), options }] });
    const product = create(ProductSchema, { productId: 'cap', options: [{ name: 'Size' }] });
    const [shown] = cartBody(cart, new Map([['cap', product]])).lines;
    expect(Object.keys(shown?.options ?? {})).toEqual(['Size', 'Colour']);
  });

  it('still shows a line whose product is gone, at no price', async () => {
    stage.services.cart.lines = [line('gone', 3), line('scarf', 1)];
    const { body } = await ask(stage.url, '/api/cart', { token: stage.auth.begin('guest') });
    expect(body.lines[0]).toMatchObject({ name: 'No longer available', image: '', unitPrice: 0, available: false, quantity: 3 });
    expect(body.subtotal).toBe(2500);
  });

  it('asks the catalog once for products that were just asked for, and shows them while it is away', async () => {
    stage.services.cart.lines = [line('cap', 1)];
    const token = stage.auth.begin('guest');
    await ask(stage.url, '/api/cart', { token });
    const before = stage.services.catalog.asked;
    stage.services.catalog.failing = problem('unavailable');
    expect((await ask(stage.url, '/api/cart', { token })).status).toBe(200);
    expect(stage.services.catalog.asked).toBe(before);
  });

  it('is read with the newest consistency token of its own partition, from the header or the cookie', async () => {
    const token = stage.auth.begin('guest');
    const own = partitionOf(stage.auth.sessionOf(token).view.subject, topics.cartEvents);
    const other = (own + 1) % topics.cartEvents.partitions;
    const broughtTo = async (cookie: string, header?: string) => {
      const headers = {
        cookie: `__Host-session=${token}; consistency=${cookie}`,
        ...(header !== undefined && { 'consistency-token': header }),
      };
      await ask(stage.url, '/api/cart', { headers });
      return calls('getCart').at(-1)?.ctx.consistency;
    };
    expect(await broughtTo(`local:${own}:7`)).toBe(`local:${own}:7`);
    expect(await broughtTo(`local:${own}:7`, `local:${own}:9`)).toBe(`local:${own}:9`);
    expect(await broughtTo(`local:${own}:7`, `local:${own}:6`)).toBe(`local:${own}:7`);
    // First the page still knows the guest's cart after a sign-in in another page. Then the cookie does.
    expect(await broughtTo(`local:${own}:7`, `local:${other}:9`)).toBe(`local:${own}:7`);
    expect(await broughtTo(`local:${other}:9`, `local:${own}:7`)).toBe(`local:${own}:7`);
    // A person who came from another region: the cookie of a write there, and what this page was told here.
    expect(await broughtTo(`eu:${own}:7`, `us:${own}:3+eu:${own}:6`)).toBe(`us:${own}:3+eu:${own}:7`);
    const many = ['a', 'b', 'c', 'd'].map((region) => `${region}:${own}:1`).join('+');
    expect(await broughtTo(`local:${own}:7`, many), 'more regions than any shop has').toBe(many);
    expect(await broughtTo(`${many}+e:${own}:1`), 'more than a token may name').toBeUndefined();
    expect(await broughtTo('nonsense')).toBeUndefined();
    const told = await ask(stage.url, '/api/cart', { headers: { cookie: `__Host-session=${token}`, 'consistency-token': 'x,y' } });
    expect([told.status, told.body.code]).toEqual([400, 'invalid_request']);
  });

  it('tells how far the read had come in the header alone: a cookie of an older read would undo that of a write', async () => {
    const told = await ask(stage.url, '/api/cart', { token: stage.auth.begin('guest') });
    expect([told.headers.get('consistency-token'), told.setCookies]).toEqual(['local:3:57', []]);
  });
});
