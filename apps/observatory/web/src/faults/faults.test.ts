import { expect, it } from 'vitest';
import type { FaultOn, FaultView } from '../../../src/api.ts';
import { observedIn } from './observed-in.ts';
import { groupsOf, standingOf, usualChoice, wantedOf } from './wanted.ts';

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

it('the card of a fault says that it is on only as long as it is', () => {
  const own: FaultOn = { id: '1', name: 'rpc-slow', mine: 't-1', at: undefined, strengthMs: undefined, leftMs: 1 };
  expect([standingOf(undefined, [own]), standingOf(own, [{ ...own, id: '2' }])]).toEqual(['', 'It is over.']);
  expect(standingOf(own, [own])).toMatch(/^On\..*in this browser/);
  expect(standingOf({ ...own, mine: undefined }, [own])).not.toContain('in this browser');
});

it('names a p99 only out of a hundred requests', () => {
  const of = (count: number) =>
    observedIn({ observed: { count, successPart: 0.5, p99Ms: 20, refusals: [{ code: 'unavailable', count: 2 }] }, agrees: true });
  expect(of(1)).toBe('50 % of 1 request worked · took 20 ms · 2 × unavailable');
  expect([of(4), of(100)].map((text) => text.split(' · ')[1])).toEqual(['the slowest took 20 ms', 'p99 20 ms']);
});
