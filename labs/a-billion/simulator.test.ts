import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { publishedFolder, readResult } from '../runner/keep.ts';
import { readFigures } from './figures.ts';
import { interviewFile, numberPattern, withNumbers } from './interview.ts';
import { goodPart } from './lab.ts';
import { type Figures, modes, simulate, spell, usualWish, type Wish } from './simulator.ts';
import { missOf } from './stage.ts';

const figures = readFigures();
const valuesOf = (change: Partial<Wish> = {}, mode: (typeof modes)[number] = 'hybrid') =>
  simulate(mode, { ...usualWish, ...change }, figures).values;

it('each figure comes from a published benchmark or a file of the shop, and says which', () => {
  for (const { value, source } of Object.values(figures)) {
    expect(value).toBeGreaterThan(0);
    expect(source).toMatch(/^(?:docs\/bench\/\w+\.json of \d{4}-\d\d-\d\d, commit \w+: |(?:apps|libs)\/)/);
  }
});

it('each number of the interview’s answer is the simulator’s, and the text has no other', () => {
  const text = readFileSync(interviewFile, 'utf8');
  expect(withNumbers(text, figures), 'write them anew: node labs/a-billion/interview.ts').toBe(text);
  const wrong: Figures = { ...figures, sessionBytes: { value: 200, source: '' } };
  expect(withNumbers(text, wrong)).not.toBe(text);
  expect(text.replaceAll(numberPattern, '').match(/\d+/g)).toEqual(null);
});

it('the interview’s answer says what the numbers say', () => {
  const [base, any, cells] = [valuesOf(), valuesOf({ spread: 0 }), valuesOf({ cells: 1 })];
  expect(any.asks, 'a cache behind a balancer that takes any gateway is worth nothing').toBeGreaterThan(0.9);
  expect(any.entries).toBeGreaterThan(any.roomCount);
  expect(base.remembered, 'this is where the shop ends').toBeGreaterThan(base.rememberedMax);
  expect(cells.remembered).toBeLessThan(cells.rememberedMax / 10);
  expect(base.cores).toBeLessThan(valuesOf({}, 'reference').cores);
  expect(base.cores).toBeGreaterThan(valuesOf({}, 'jwt').cores);
  expect(simulate('hybrid', usualWish, figures).limits.join(' ')).toContain('revocations');
});

it('the formula that is shown is the one that ran, and every step has a number', () => {
  for (const mode of modes) {
    const { lines, values } = simulate(mode, usualWish, figures);
    expect(lines.filter(({ value }) => !(value >= 0))).toEqual([]);
    expect(lines.find(({ name }) => name === 'sessions')!.formula).toBe('people * devices');
    expect(values.sessions).toBe(values.people * values.devices);
  }
});

it('without a lease each request asks, and nothing that has ended is accepted', () => {
  expect(valuesOf({ lease: 0, visit: 1e6 })).toMatchObject({ asks: 1, acceptedMs: 0, beats: 0 });
});

it('numbers are spelt with the digits that matter', () => {
  expect([spell(1_234_567), spell(0.4567), spell(1.23e12, 'B'), spell(999, '/s'), spell(300_000, 'ms'), spell(33.4, 'ms')]).toEqual([
    '1.2 million',
    '0.46',
    '1.2 TB',
    '999/s',
    '300 s',
    '33 ms',
  ]);
});

it('all predictions of the published run are within a quarter, and a simulator with a wrong figure would miss', () => {
  const { samples } = readResult(publishedFolder('a-billion'))!;
  const simulated = samples.find(({ arm }) => arm === 'simulator')!.measured;
  expect(simulated['within a quarter']).toBe(100);
  const off = simulated['memory off by']! / 100;
  expect(off).toBeLessThanOrEqual(goodPart);
  // Twice the bytes of a session: whatever the miss was, this is more than a quarter.
  expect(missOf(2 * (1 + off), 1)).toBeGreaterThan(goodPart);
});
