import { expect, it } from 'vitest';
import { delegatedMethods, delegationsOf } from './delegations.ts';

it('the contract delegates exactly these methods to a service, and no more', () => {
  expect(delegationsOf()).toEqual([
    { caller: 'orders', audience: 'cart', method: 'cloakroom.cart.v1.CartService/GetCart' },
    { caller: 'orders', audience: 'cart', method: 'cloakroom.cart.v1.CartService/PrepareOrder' },
    { caller: 'orders', audience: 'profile', method: 'cloakroom.profile.v1.ProfileService/GetProfile' },
  ]);
});

it('an unknown caller or an unknown audience has no delegated method', () => {
  expect(delegatedMethods('cart', 'profile')).toEqual([]);
  expect(delegatedMethods('orders', 'auth')).toEqual([]);
  expect(delegatedMethods('gateway', 'cart')).toEqual([]);
});
