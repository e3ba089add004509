import { faultLeaseMs, faultMaxMs, type FaultSwitch } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { Leases } from './leases.ts';

const one = (more: Partial<FaultSwitch> = {}): FaultSwitch => ({ id: '1', fault: 'rpc-slow', strengthMs: 50, leftMs: 60_000, ...more });
const isOn = (leases: Leases, nowMs: number, experiment?: string) => leases.find('rpc-slow', 'x', experiment, nowMs) !== undefined;

it('a switch is over one lease after the last question, counted from the question', () => {
  const leases = new Leases();
  leases.renew([one()], 1_000);
  expect(isOn(leases, 1_000 + faultLeaseMs - 1)).toBe(true);
  expect(isOn(leases, 1_000 + faultLeaseMs)).toBe(false);
  expect(leases.leftMs(1_000 + faultLeaseMs)).toBeUndefined();
});

it('a switch is over at its end, even within the lease', () => {
  const leases = new Leases();
  leases.renew([one({ leftMs: 300 })], 0);
  expect(isOn(leases, 299)).toBe(true);
  expect(isOn(leases, 300)).toBe(false);
});

it('a switch that is renewed for ever is over after ten minutes all the same', () => {
  const leases = new Leases();
  for (let nowMs = 0; nowMs <= faultMaxMs; nowMs += 1_000) leases.renew([one({ leftMs: faultMaxMs })], nowMs);
  expect(isOn(leases, faultMaxMs)).toBe(false);
});

it('a switch that the Observatory no longer names is off at once', () => {
  const leases = new Leases();
  leases.renew([one()], 0);
  leases.renew([], 1);
  expect(isOn(leases, 1)).toBe(false);
});

it('a switch for one experiment is met by that experiment alone, and everybody’s by all', () => {
  const leases = new Leases();
  leases.renew([one({ experiment: 'ada' })], 0);
  expect([isOn(leases, 1, 'ada'), isOn(leases, 1, 'bob'), isOn(leases, 1)]).toEqual([true, false, false]);
  leases.renew([one()], 1);
  expect([isOn(leases, 2, 'ada'), isOn(leases, 2, 'bob'), isOn(leases, 2)]).toEqual([true, true, true]);
});

it('an experiment has a switch of its own only while it holds one, and never by everybody’s', () => {
  const leases = new Leases();
  leases.renew([one({ experiment: 'ada' }), one({ id: '2' })], 0);
  const own = (nowMs: number) => ['ada', 'bob'].map((who) => leases.hasOwn(who, nowMs));
  expect(own(1)).toEqual([true, false]);
  expect(own(faultLeaseMs)).toEqual([false, false]);
});

it('a switch at one method leaves the others alone', () => {
  const leases = new Leases();
  leases.renew([one({ at: 'CartService/GetCart' })], 0);
  const at = (method: string) => leases.find('rpc-slow', `cloakroom.cart.v1.${method}`, undefined, 1)?.id;
  expect([at('CartService/GetCart'), at('CartService/GetCartItems'), at('OtherCartService/GetCart')]).toEqual(['1', undefined, undefined]);
});
