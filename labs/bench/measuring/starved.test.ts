import { describe, expect, it } from 'vitest';
import { type FloorBlock, starvation } from './starved.ts';

const block = (perSecond: number, cpuUs: number, core?: FloorBlock['core']): FloorBlock => ({ perSecond, cpuUs, core });
const alone = { ours: 0.97, others: 0.01, stolen: 0 };

it('a floor that kept its core busy is accepted', () => {
  expect(starvation('floor', [block(6_159, 156, alone), block(6_997, 138, alone), block(6_690, 143, alone)])).toEqual([]);
});

describe('a floor is starved', () => {
  it('when it answered fewer requests than its processor time allows, as the figures that were published of the cart', () => {
    const published = [block(1_071, 786), block(925, 843), block(819, 1_040), block(1_254, 665), block(1_328, 662)];
    expect(starvation('floor', published)).toEqual(['floor kept its core busy for 0.84 of the time, 0.9 at least']);
  });

  it('when a request cost twice as much in many blocks as in others, but not in one of many', () => {
    const [cheap, dear] = [block(6_000, 160), block(3_000, 320)];
    expect(starvation('floor', [cheap, dear, cheap, dear, cheap])).toEqual([
      expect.stringMatching(/cost 2\.00 times as much in a dear block/),
    ]);
    expect(starvation('floor', [cheap, cheap, dear, cheap, cheap])).toEqual([]);
  });

  it('when other processes had the core', () => {
    const busy = block(5_000, 190, { ours: 0.8, others: 0.2, stolen: 0 });
    expect(starvation('floor', [busy])).toEqual(['others took 0.20 of the core beside floor, 0.1 at most']);
    const stolen = block(5_000, 190, { ours: 0.8, others: 0, stolen: 0.15 });
    expect(starvation('floor', [stolen])).toEqual([expect.stringMatching(/^others took 0\.15/)]);
  });

  it('when nothing was measured', () => {
    expect(starvation('floor', [])).not.toEqual([]);
    expect(starvation('floor', [block(5_000, Number.NaN)])).not.toEqual([]);
  });
});

it('a floor that waits for another core need not keep its own core busy', () => {
  expect(starvation('bare', [block(150_000, 2)], { busy: 0 })).toEqual([]);
});
