import { expect, it } from 'vitest';
import { labelOf } from './fault-settings.ts';
import { faultNames, menuOf, scheduleOf } from './schedule.ts';
import type { PlannedFault } from './schedule.ts';

const native = ['redis-sessions', 'redis-carts', 'kafka', 'auth', 'cart', 'profile', 'catalog', 'gateway-1', 'gateway-2'];
const everything = {
  processes: [...native, 'redis-sessions-1', 'cart-1', 'cart-2'],
  proxied: ['kafka', 'redis-sessions', 'redis-carts', 'auth', 'cart', 'profile', 'catalog', 'orders'],
  smallDisks: ['kafka'],
  namespaces: ['kafka-1', 'kafka-2', 'kafka-3'],
};
const region = (name: string): string[] =>
  ['redis-sessions', 'redis-carts', 'kafka', 'mirror', 'auth', 'cart', 'gateway'].map((part) => `${part}-${name}`);
const regions = { processes: ['ocean', ...region('eu'), ...region('us')], proxied: [], smallDisks: [], namespaces: [] };
const ofRegions = ['ocean-cut', 'ocean-hold', 'ocean-slow', 'mirror', 'region'] as const;
const seeds = Array.from({ length: 200 }, (_, index) => index + 1);
const minutes = (count: number): number => count * 60_000;
const endOf = ({ startMs, forMs }: PlannedFault): number => startMs + forMs;

it('plans the same from the same seed, and something else from another', () => {
  const plans = seeds.map((seed) => JSON.stringify(scheduleOf(menuOf(everything), seed, minutes(3))));
  expect(seeds.map((seed) => JSON.stringify(scheduleOf(menuOf(everything), seed, minutes(3))))).toEqual(plans);
  expect(new Set(plans).size).toBe(seeds.length);
});

it('ends every fault within the time it has', () => {
  for (const seed of seeds)
    for (const fault of scheduleOf(menuOf(everything), seed, minutes(2))) expect(endOf(fault)).toBeLessThanOrEqual(minutes(2));
});

it('breaks two things at most at once, and never the same one twice', () => {
  for (const seed of seeds) {
    const plan = scheduleOf(menuOf(everything), seed, minutes(5));
    for (const fault of plan) {
      const beside = plan.filter((other) => other !== fault && other.startMs < endOf(fault) && fault.startMs < endOf(other));
      expect(beside.length).toBeLessThanOrEqual(1);
      expect(beside.map(({ target }) => target)).not.toContain(fault.target);
    }
  }
});

it('leaves a pause before it breaks the next', () => {
  for (const seed of seeds) {
    let endMs = 0;
    for (const fault of scheduleOf(menuOf(everything), seed, minutes(5))) {
      if (fault.startMs >= endMs) expect(fault.startMs - endMs).toBeGreaterThanOrEqual(1_900);
      endMs = Math.max(endMs, endOf(fault));
    }
  }
});

it('breaks some together', () => {
  const together = seeds.filter((seed) => {
    const plan = scheduleOf(menuOf(everything), seed, minutes(3));
    return plan.some((fault, index) => index > 0 && fault.startMs < endOf(plan[index - 1]!));
  });
  expect(together.length).toBeGreaterThan(seeds.length / 2);
});

it('comes to every kind of fault, and to every process, within an hour', () => {
  const plan = scheduleOf(menuOf(everything), 1, minutes(60));
  expect(new Set<string>([...plan.map(({ name }) => name), ...ofRegions])).toEqual(new Set(faultNames));
  for (const name of ['kill', 'pause'] as const) {
    const hit = new Set(plan.filter((fault) => fault.name === name).map(({ target }) => target));
    expect(hit).toEqual(new Set(everything.processes));
  }
});

it('comes to every fault between two regions in a quarter of an hour, and neither kills nor pauses the ocean', () => {
  for (const seed of seeds) {
    const plan = scheduleOf(menuOf(regions), seed, minutes(15));
    expect(plan.map(({ name }) => name)).toEqual(expect.arrayContaining([...ofRegions]));
    const deadly = plan.filter(({ name }) => name === 'kill' || name === 'pause').map(({ target }) => target);
    expect(deadly).not.toContain('ocean');
  }
});

it('plans what was asked for alone', () => {
  const plan = scheduleOf(menuOf({ ...everything, only: ['kill', 'latency'] }), 3, minutes(20));
  expect(new Set(plan.map(({ name }) => name))).toEqual(new Set(['kill', 'latency']));
});

it('offers nothing that the stack or the machine has not', () => {
  const menu = menuOf({ processes: native, proxied: ['kafka'], smallDisks: [], namespaces: [] });
  expect(menu.map(({ name }) => name)).toEqual(['kill', 'pause', 'cut', 'hold', 'latency', 'reset', 'skew', 'rebalance']);
  expect(scheduleOf([], 1, minutes(1))).toEqual([]);
});

it('says of each fault what its dial decides', () => {
  const labels = (name: PlannedFault['name']) => new Set(seeds.map((seed) => labelOf({ name, dial: seed / seeds.length / 1.003 })));
  expect(labels('skew')).toEqual(new Set(['skew -30 s', 'skew -5 s', 'skew -1.5 s', 'skew +1.5 s', 'skew +5 s', 'skew +30 s']));
  expect(labels('hold')).toEqual(new Set(['hold requests', 'hold answers', 'hold both']));
  expect(labels('partition')).toEqual(new Set(['partition apart', 'partition pair', 'partition deaf']));
  expect(labels('kill')).toEqual(new Set(['kill']));
  expect(labels('mirror')).toEqual(new Set(['mirror killed', 'mirror paused']));
  const cuts = ['both ways', 'eu-us', 'us-eu', 'dials of eu', 'dials of us'];
  expect(labels('ocean-cut')).toEqual(new Set(cuts.map((way) => `ocean-cut ${way}`)));
  expect(labels('ocean-hold')).toEqual(new Set(cuts.slice(0, 3).map((way) => `ocean-hold ${way}`)));
});
