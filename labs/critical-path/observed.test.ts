import { expect, it } from 'vitest';
import { idleIn, longestMs, pathMs } from './observed.ts';

const told = {
  path: [
    { lane: 'gateway-1', durationMs: 5, kind: 'own' },
    { lane: 'auth', durationMs: 401, kind: 'work' },
    { lane: 'cart', durationMs: 2, kind: 'way there' },
    { lane: 'cart', durationMs: 400, kind: 'work' },
  ],
  spans: [
    { lane: 'auth', durationMs: 401 },
    { lane: 'auth', durationMs: 3 },
    { lane: 'cart', durationMs: 400 },
    { lane: 'profile', durationMs: 700 },
  ],
};

it('a hop has its longest span, and its part of the critical path without the ways', () => {
  expect([longestMs(told, 'auth'), longestMs(told, 'profile')]).toEqual([401, 700]);
  expect([pathMs(told, 'cart'), pathMs(told, 'profile')]).toEqual([400, 0]);
});

it('a delay that did nothing is noticed, and so is a request that tells nothing', () => {
  const slow = new Map([['auth', 400] as const, ['cart', 400] as const]);
  expect(idleIn(told, slow, ['auth', 'cart', 'profile'])).toEqual([]);
  expect(idleIn(told, new Map([['cart', 500] as const]), ['auth', 'cart'])).toEqual(['cart']);
  expect(idleIn(undefined, slow, ['auth'])).toEqual(['auth']);
});
