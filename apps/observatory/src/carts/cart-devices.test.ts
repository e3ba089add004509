import { observed } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import type { StoredSpan } from '../span.ts';
import { cartDevices } from './cart-devices.ts';

const span = (endMs: number, session: string, more: StoredSpan['attributes'], cartId = 'u_ada'): StoredSpan => ({
  traceId: `t${endMs}`,
  spanId: `s${endMs}`,
  parentId: undefined,
  name: 'CartService/GetCart',
  kind: 'server',
  startMs: endMs - 1,
  endMs,
  failure: undefined,
  service: 'cart',
  attributes: { [observed.cartId]: cartId, [observed.session]: session, ...more },
  links: [],
});

it('a device is where its last read came to, and asks for the newest position that it was told', () => {
  const spans = [
    span(10, 'laptop', { [observed.cartShown]: '8', [observed.experiment]: 'ada' }),
    span(30, 'laptop', { [observed.cartWritten]: '10' }),
    span(20, 'laptop', { [observed.cartAsked]: '8', [observed.cartShown]: '9' }),
    span(5, 'laptop', { [observed.device]: 'Firefox on Linux' }),
    span(40, 'phone', { [observed.cartShown]: '10' }),
    span(50, 'of-bob', { [observed.cartShown]: '7' }, 'u_bob'),
  ];
  expect(cartDevices(spans, 'u_ada', 'ada')).toEqual([
    { session: 'phone', device: undefined, isMine: false, lastAtMs: 40, shown: { offset: '10', atMs: 40, traceId: 't40' }, token: '10' },
    {
      session: 'laptop',
      device: 'Firefox on Linux',
      isMine: true,
      lastAtMs: 30,
      shown: { offset: '9', atMs: 20, traceId: 't20' },
      token: '10',
    },
  ]);
});

it('a device that only wrote has been shown nothing, and one that only looked at an empty partition has no place', () => {
  const spans = [span(10, 'laptop', { [observed.cartWritten]: '0' }), span(20, 'phone', {})];
  expect(cartDevices(spans, 'u_ada', 'ada')).toMatchObject([{ session: 'laptop', shown: undefined, token: '0' }]);
});

it('with two regions a device has a place in each log, and offsets of the other log are left out', () => {
  const spans = [
    span(10, 'laptop', { [observed.cartShown]: '80', [observed.region]: 'us' }),
    span(20, 'laptop', { [observed.cartShown]: '3', [observed.region]: 'eu' }),
    span(30, 'laptop', { [observed.cartWritten]: '4', [observed.region]: 'eu' }),
  ];
  expect(cartDevices(spans, 'u_ada', 'ada', 'eu')).toMatchObject([{ shown: { offset: '3' }, token: '4' }]);
  expect(cartDevices(spans, 'u_ada', 'ada', 'us')).toMatchObject([{ shown: { offset: '80' }, token: '80' }]);
});
