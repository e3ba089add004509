import { expect, it } from 'vitest';
import { carryingPosition } from './cart-position.ts';

/** The gateway as far as this goes: tells the tokens in this order, and notes what it was brought. */
function gateway(tokens: readonly (string | undefined)[]) {
  const brought: (string | null)[] = [];
  let nowMs = 0;
  const fetch = carryingPosition(
    (_path, init) => {
      brought.push(new Headers(init.headers).get('consistency-token'));
      const token = tokens[brought.length - 1];
      return Promise.resolve(new Response('{}', { headers: token === undefined ? {} : { 'consistency-token': token } }));
    },
    () => nowMs,
  );
  return { brought, ask: (path: string, init: RequestInit = {}) => fetch(path, init), pass: (ms: number) => void (nowMs += ms) };
}

it('brings the furthest position that any answer told, to the cart and to orders alone', async () => {
  const { brought, ask } = gateway(['local:3:5', 'local:3:9', undefined, 'local:3:7', undefined, undefined]);
  for (const path of ['/api/cart', '/api/cart/lines', '/api/products', '/api/cart', '/api/orders/preview', '/api/cartoons'])
    await ask(path);
  expect(brought).toEqual([null, 'local:3:5', null, 'local:3:9', 'local:3:9', null]);
});

it('begins anew in another partition: after a sign-in the cart is another', async () => {
  const { brought, ask } = gateway(['local:3:9', 'local:4:1']);
  for (let n = 0; n < 3; n++) await ask('/api/cart');
  expect(brought).toEqual([null, 'local:3:9', 'local:4:1']);
});

it('forgets after a minute without an answer that tells one', async () => {
  const { brought, ask, pass } = gateway(['local:3:9', 'local:3:9']);
  await ask('/api/cart');
  pass(60_000);
  await ask('/api/cart');
  pass(60_001);
  await ask('/api/cart');
  expect(brought).toEqual([null, 'local:3:9', null]);
});

it('brings the furthest position of each region, also of one that an answer does not tell, and forgets each by itself', async () => {
  const { brought, ask, pass } = gateway(['eu:3:5+us:3:8', 'us:3:9+eu:3:4', 'us:3:10', undefined, 'us:4:1']);
  await ask('/api/cart');
  pass(40_000);
  for (let n = 0; n < 2; n++) await ask('/api/cart');
  pass(30_000);
  for (let n = 0; n < 3; n++) await ask('/api/cart');
  expect(brought).toEqual([null, 'eu:3:5+us:3:8', 'eu:3:5+us:3:9', 'us:3:10', 'us:3:10', 'us:4:1']);
});

it('keeps every digit of an offset', async () => {
  const token = `eu:3:${2n ** 63n - 1n}+us:3:9`;
  const { brought, ask } = gateway([token]);
  for (let n = 0; n < 2; n++) await ask('/api/cart');
  expect(brought).toEqual([null, token]);
});

it('keeps the headers of the request', async () => {
  const seen: Headers[] = [];
  const fetch = carryingPosition(
    (_path, init) => {
      seen.push(new Headers(init.headers));
      return Promise.resolve(new Response('{}', { headers: { 'consistency-token': 'local:3:9' } }));
    },
    () => 0,
  );
  await fetch('/api/cart', {});
  await fetch('/api/orders', { headers: { 'idempotency-key': 'k' } });
  expect([seen[1]!.get('idempotency-key'), seen[1]!.get('consistency-token')]).toEqual(['k', 'local:3:9']);
});
