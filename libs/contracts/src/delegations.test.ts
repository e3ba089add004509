import { expect, it } from 'vitest';
import { delegatedMethods, delegationsOf } from './delegations.ts';

it('lets a service do for a person what is written here, and no more', () => {
  expect(delegationsOf()).toEqual([
    { caller: 'orders', audience: 'cart', method: 'cloakroom.cart.v1.CartService/GetCart' },
    { caller: 'orders', audience: 'cart', method: 'cloakroom.cart.v1.CartService/PrepareOrder' },
    { caller: 'orders', audience: 'profile', method: 'cloakroom.profile.v1.ProfileService/GetProfile' },
  ]);
});

it('knows no row for a caller or an audience that the contract does not name', () => {
  expect(delegatedMethods('cart', 'profile')).toEqual([]);
  expect(delegatedMethods('orders', 'auth')).toEqual([]);
  expect(delegatedMethods('gateway', 'cart')).toEqual([]);
});
