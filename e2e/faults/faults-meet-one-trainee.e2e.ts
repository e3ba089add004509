/**
 * Faults that a trainee switches on in a shop that runs. Ada's fault is met by ada alone, while bob does the same at the same moment. Everybody's is met
 * by everybody. And whatever becomes of the Observatory, no fault outlives it.
 */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@playwright/test';
import type { Cart, Problem, ProductPage } from '@cloakroom/contracts/http';
import { faultLeaseMs, uuidV7 } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import type { PlainAnswer } from '../kit/raw.ts';
import { e2eProvider } from '../kit/stack.ts';
import { type Asked, type FaultyShop, openFaultyShop, soon } from './faulty-shop.ts';

let shop: FaultyShop;
/** One person each; ada and bob study the same shop at the same time. */
let ada: string;
let bob: string;
let product: string;
test.beforeAll(async () => {
  shop = await openFaultyShop();
  [ada, bob] = await Promise.all([shop.register(), shop.register()]);
  const { items } = JSON.parse((await shop.ask(undefined, '/api/products?pageSize=50')).body) as ProductPage;
  product = items.find(({ options }) => Object.keys(options).length === 0)!.productId;
  for (const token of [ada, bob]) expect(codeOf(await add(token, {}))).toBe('works');
});
test.afterAll(() => shop.stop());
test.afterEach(() => shop.off());

const asAda = (path: string, more: Asked = {}) => shop.ask(ada, path, { ...more, trainee: 'ada' });
const asBob = (path: string, more: Asked = {}) => shop.ask(bob, path, { ...more, trainee: 'bob' });
const add = (token: string, more: Asked): Promise<PlainAnswer> =>
  shop.ask(token, '/api/cart/lines', {
    ...more,
    body: { productId: product, quantity: 1, commandId: uuidV7(Date.now(), randomBytes(10)) },
  });
const codeOf = ({ status, body }: PlainAnswer): string => (status < 400 ? 'works' : (JSON.parse(body) as Problem).code);

/** Both at the same moment, until ada meets it. Bob must never meet it meanwhile. */
async function meetsOnlyAda(ask: (as: typeof asAda) => Promise<PlainAnswer>, code: string): Promise<void> {
  await expect
    .poll(async () => {
      const [hers, his] = await Promise.all([ask(asAda), ask(asBob)]);
      expect(codeOf(his), his.body).toBe('works');
      return codeOf(hers);
    }, soon)
    .toBe(code);
  await shop.off();
  await expect.poll(async () => codeOf(await ask(asAda)), soon).toBe('works');
}

test('a slow method is slow for ada alone, by the command, and in time again when it is off', async () => {
  const said = await shop.command('on', 'rpc-slow', '--at', 'CartService/GetCart', '--mine', 'ada', '--strength', '400ms', '--for', '2m');
  expect(said).toContain('rpc-slow CartService/GetCart 400ms for ada');
  await expect
    .poll(async () => {
      const [hers, his] = await Promise.all([asAda('/api/cart'), asBob('/api/cart')]);
      return [hers.seconds >= 0.4, his.seconds < 0.4];
    }, soon)
    .toEqual([true, true]);
  expect(await shop.command('list')).toMatch(/On now:\s+rpc-slow CartService\/GetCart 400ms for ada/);
  expect(await shop.command('off')).toContain('off: rpc-slow for ada');
  await expect.poll(async () => (await asAda('/api/cart')).seconds < 0.4, soon).toBe(true);
});

test('a fault ends by itself', async () => {
  await shop.on('rpc-fails', { at: 'CartService/GetCart', mine: 'ada', forMs: 2_500 });
  await expect.poll(async () => codeOf(await asAda('/api/cart')), soon).toBe('unavailable');
  await expect.poll(async () => codeOf(await asAda('/api/cart')), soon).toBe('works');
});

test('a refused method is refused to ada alone', async () => {
  await shop.on('rpc-fails', { at: 'CartService/GetCart', mine: 'ada' });
  await meetsOnlyAda((as) => as('/api/cart'), 'unavailable');
});

test('a lost answer leaves ada not knowing, and her product is in the cart', async () => {
  const quantity = async () =>
    ((JSON.parse((await asAda('/api/cart')).body) as Cart).lines ?? []).reduce((sum, line) => sum + line.quantity, 0);
  const before = await quantity();
  await shop.on('rpc-answer-lost', { at: 'CartService/AddItem', mine: 'ada' });
  let tries = 0;
  await expect
    .poll(async () => {
      tries += 1;
      const [hers, his] = await Promise.all([add(ada, { trainee: 'ada' }), add(bob, { trainee: 'bob' })]);
      expect(codeOf(his), his.body).toBe('works');
      return codeOf(hers);
    }, soon)
    .toBe('outcome_unknown');
  await expect.poll(quantity, soon).toBe(before + tries);
});

test('a session store that fails is away for ada alone', async () => {
  await shop.on('session-store-fails', { mine: 'ada' });
  await meetsOnlyAda((as) => as('/api/session/devices'), 'identity_unavailable');
});

test('a database that fails is away for ada alone', async () => {
  await shop.on('database-fails', { mine: 'ada', at: 'profile' });
  await meetsOnlyAda((as) => as('/api/profile'), 'unavailable');
});

test('reads of ada’s cart are old and say so, and bob’s are not', async () => {
  const read = async (as: typeof asAda) => JSON.parse((await as('/api/cart')).body) as Cart & { stale?: boolean };
  await shop.on('cart-read-stale', { mine: 'ada', strengthMs: 60_000 });
  await expect
    .poll(async () => {
      const written = [await add(ada, { trainee: 'ada' }), await add(bob, { trainee: 'bob' })];
      const [hers, his] = await Promise.all(
        [asAda, asBob].map(async (as, who) => {
          const token = String(written[who]!.headers['consistency-token']);
          return JSON.parse((await as('/api/cart', { headers: { 'consistency-token': token } })).body) as Cart & { stale?: boolean };
        }),
      );
      return [hers!.stale, his!.stale];
    }, soon)
    .toEqual([true, false]);
  await shop.off();
  await expect.poll(async () => (await read(asAda)).stale, soon).toBe(false);
});

test('a projector that is held back keeps every cart old, and catches up afterwards', async () => {
  const staleAfterWrite = async () => {
    const token = String((await add(bob, { trainee: 'bob' })).headers['consistency-token']);
    return (JSON.parse((await asBob('/api/cart', { headers: { 'consistency-token': token } })).body) as { stale?: boolean }).stale;
  };
  await shop.on('projector-held', { everybody: true });
  await expect.poll(staleAfterWrite, soon).toBe(true);
  await shop.off();
  await expect.poll(staleAfterWrite, soon).toBe(false);
});

test('a log that takes no carts refuses every write to a cart, and nothing else', async () => {
  await shop.on('publish-fails', { everybody: true, at: 'cart.events' });
  await expect.poll(async () => codeOf(await add(bob, {})), soon).toBe('unavailable');
  expect(codeOf(await asBob('/api/cart'))).toBe('works');
  await shop.off();
  await expect.poll(async () => codeOf(await add(bob, {})), soon).toBe('works');
});

test('a gateway that hears no revocations asks auth for each request, and the other trusts its cache', async () => {
  const decision = async (gateway: 0 | 1) =>
    /(?:^|, )session[^,]*desc="([^"]*)"/.exec(String((await asBob('/api/cart', { gateway })).headers['server-timing']))?.[1];
  await expect.poll(() => decision(1), soon).toBe('hybrid hit');
  await shop.on('revocations-held', { everybody: true, at: 'gateway-2' });
  await expect.poll(async () => [await decision(1), await decision(1)], soon).toEqual(['hybrid asked', 'hybrid asked']);
  expect(await decision(0)).toBe('hybrid hit');
  await shop.off();
  await expect.poll(() => decision(1), soon).toBe('hybrid hit');
});

// Where all services share a process there is no connection between two of them.
if (e2eProvider === 'native')
  test('a connection that is cut or slow is so for the process that opens it alone', async () => {
    const worksAt = async (gateway: 0 | 1) => codeOf(await asBob('/api/cart', { gateway })) === 'works';
    const secondsAt = async (gateway: 0 | 1) => (await asBob('/api/cart', { gateway })).seconds;
    await shop.on('connection-cut', { everybody: true, at: 'gateway-1:cart' });
    await expect.poll(() => worksAt(0), soon).toBe(false);
    expect(await worksAt(1)).toBe(true);
    await shop.off();
    await expect.poll(() => worksAt(0), soon).toBe(true);
    await shop.on('connection-slow', { everybody: true, at: 'gateway-1:cart', strengthMs: 200 });
    await expect.poll(async () => (await worksAt(0)) && (await secondsAt(0)) >= 0.4, soon).toBe(true);
    await shop.off();
    await expect.poll(async () => (await secondsAt(0)) < 0.4 && (await worksAt(0)), soon).toBe(true);
  });

/** The supervisor starts another Observatory, and nothing waits for that. */
const afterRestart = { timeout: 60_000, intervals: [100] };

for (const signal of ['SIGSTOP', 'SIGKILL'] as const)
  test(`${signal} of the Observatory ends every fault, and the shop goes on`, async () => {
    await shop.on('rpc-fails', { at: 'CartService/GetCart', mine: 'ada', forMs: 600_000 });
    await shop.on('publish-fails', { everybody: true, at: 'cart.events', forMs: 600_000 });
    await shop.on('database-slow', { at: 'profile', mine: 'ada', strengthMs: 1_000, forMs: 600_000 });
    const pace = async () => ((await asAda('/api/profile')).seconds >= 1 ? 'slow' : 'in time');
    const broken = () => Promise.all([asAda('/api/cart').then(codeOf), add(bob, {}).then(codeOf), pace()]);
    await expect.poll(broken, soon).toEqual(['unavailable', 'unavailable', 'slow']);
    const pid = shop.observatoryPid();
    shop.signalObservatory(signal);
    const [crowd, since] = [watchCrowd(), performance.now()];
    await expect.poll(broken, soon).toEqual(['works', 'works', 'in time']);
    // The lease. The requests themselves take their time too.
    expect(performance.now() - since).toBeLessThan(faultLeaseMs + crowd.roomMs(1_500));
    if (signal === 'SIGSTOP') process.kill(pid!, 'SIGCONT');
    else await expect.poll(() => shop.observatoryPid() !== pid && shop.observatoryPid() !== undefined, afterRestart).toBe(true);
    await expect
      .poll(
        () =>
          shop.off().then(
            () => true,
            () => false,
          ),
        afterRestart,
      )
      .toBe(true);
  });
