import { create } from '@bufbuild/protobuf';
import { OrderStatus, problem, ProfileSchema } from '@cloakroom/contracts';
import { beforeEach, expect, it } from 'vitest';
import { openShop, personContext, type Replica, type Shop } from '../orders.harness.ts';
import { placeOrder } from './place-order.ts';

const inParis = { addressId: 'paris', name: 'Ada', line1: '1 Rue', city: 'Paris', postalCode: '75001', country: 'FR' };
let shop: Shop;
let replica: Replica;
beforeEach(async () => {
  shop = await openShop();
  replica = shop.replica();
  shop.catalog.put('hat');
  shop.cart.lines.set('a', { productId: 'hat' });
});

/** @param home the region of the person's session */
function place(home: string, addressId: string, getProfile: Replica['parts']['profile']['getProfile']) {
  const ctx = personContext('u_1');
  const abroad = { ...ctx, identity: { ...ctx.identity, region: home } };
  const parts = { ...replica.parts, profileIn: new Map([['us', { getProfile }]]) };
  return placeOrder(parts, abroad, { idempotencyKey: addressId, seen: 'a', addressId, paymentMethod: '' });
}

it('delivers to an address of the profile at home', async () => {
  const placed = await place('us', 'paris', () => Promise.resolve(create(ProfileSchema, { addresses: [inParis] })));
  expect(placed).toMatchObject({ status: OrderStatus.PLACED, address: { city: 'Paris' } });
});

it('takes no order while the profile at home is out of reach', async () => {
  const refused = await place('us', 'home', () => Promise.resolve(problem('connection_lost')));
  expect(refused).toEqual(problem('connection_lost'));
  expect(await shop.db.selectFrom('orders').selectAll().execute()).toEqual([]);
});

it('asks the profile here for everybody else', async () => {
  const asked = () => Promise.reject(new Error('us was asked'));
  expect(await place('local', 'home', asked)).toMatchObject({ status: OrderStatus.PLACED, address: { city: 'London' } });
});
