import { expect, it } from 'vitest';
import type { FaultView } from '../../../src/api.ts';
import { groupsOf, usualChoice, wantedOf } from './wanted.ts';

/** As the Observatory told them, shortened. */
const slow: FaultView = {
  name: 'rpc-slow',
  title: 'A service answers late',
  explanation: '',
  reach: 'mine',
  strength: { minMs: 10, maxMs: 5_000, usualMs: 300 },
  at: { what: 'method', needed: true, among: ['AuthService/Login', 'CartService/AddItem', 'CartService/GetCart'] },
  file: '',
};
const held: FaultView = { ...slow, name: 'projector-held', reach: 'everybody', strength: undefined, at: undefined };

it('asks for a fault for the trainee alone, unless somebody says otherwise', () => {
  expect(wantedOf(slow, usualChoice(slow), 't-1')).toEqual({ mine: 't-1', strengthMs: 300, at: 'CartService/GetCart', forMs: 120_000 });
  expect(wantedOf(slow, { ...usualChoice(slow), scope: 'everybody' }, 't-1')).not.toHaveProperty('mine');
});

it('never asks for one person alone where the fault meets everybody', () => {
  expect(wantedOf(held, { ...usualChoice(held), scope: 'mine' }, 't-1')).toEqual({ everybody: true, forMs: 120_000 });
});

it('leaves the place out where every one is meant', () => {
  expect(
    wantedOf({ ...slow, at: { what: 'topic', needed: false, among: ['cart.events'] } }, { ...usualChoice(slow), at: '' }, 't-1'),
  ).not.toHaveProperty('at');
});

it('lists methods by their service', () => {
  expect(groupsOf(slow.at!.among).map(([group, names]) => [group, names.length])).toEqual([
    ['AuthService', 1],
    ['CartService', 2],
  ]);
  expect(groupsOf(['auth', 'cart'])).toEqual([['', ['auth', 'cart']]]);
});
