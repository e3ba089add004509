import { expect, it } from 'vitest';
import { areSame, gapsIn, type RegionLog, sidesOf } from './sides.ts';

type Step = RegionLog['steps'][number];
const step = (place: string, lines: Readonly<Record<string, number>>): Step => {
  const [region, offset = ''] = place.split(':');
  return {
    region,
    offset,
    atMs: 1,
    traceId: undefined,
    event: undefined,
    unreadable: undefined,
    changed: true,
    after: {
      lines: Object.entries(lines).map(([lineId, quantity]) => ({ lineId, quantity, dots: [] })),
      coupons: [],
      dead: {},
      joined: {},
      claimedBy: undefined,
      missing: [],
    },
  };
};

it('in a cut each side has its own events, lacks those of the other, and the lines that differ are told', () => {
  const sides = sidesOf([
    { region: 'eu', steps: [step('eu:3', { cap: 1 }), step('us:7', { cap: 2 }), step('eu:4', { cap: 2, scarf: 1 })] },
    { region: 'us', steps: [step('eu:3', { cap: 1 }), step('us:7', { cap: 2 }), step('us:8', { cap: 5 }), step('us:10', { cap: 6 })] },
  ]);
  expect(sides).toEqual([
    {
      region: 'eu',
      heard: [
        { of: 'eu', offset: '4', lacks: 0 },
        { of: 'us', offset: '7', lacks: 2 },
      ],
      lines: [
        { lineId: 'cap', quantity: 2, differs: true },
        { lineId: 'scarf', quantity: 1, differs: true },
      ],
    },
    {
      region: 'us',
      heard: [
        { of: 'us', offset: '10', lacks: 0 },
        { of: 'eu', offset: '3', lacks: 1 },
      ],
      lines: [
        { lineId: 'cap', quantity: 6, differs: true },
        { lineId: 'scarf', quantity: 0, differs: true },
      ],
    },
  ]);
  expect(gapsIn(sides)).toEqual(['eu lacks 2 events of us.', 'us lacks 1 event of eu.']);
  expect(areSame(sides)).toBe(false);
});

it('the same events in another order are the same cart, and a copy that came twice counts once', () => {
  const end = { cap: 3 };
  const sides = sidesOf([
    { region: 'eu', steps: [step('eu:3', { cap: 1 }), step('us:7', end), step('us:7', end)] },
    { region: 'us', steps: [step('us:7', { cap: 2 }), step('eu:3', end)] },
  ]);
  expect(sides.flatMap(({ heard }) => heard.map(({ lacks }) => lacks))).toEqual([0, 0, 0, 0]);
  expect(areSame(sides)).toBe(true);
});

it('an event that changes no line still makes a difference: the other side has not heard it', () => {
  const sides = sidesOf([
    { region: 'eu', steps: [step('eu:3', { cap: 1 }), step('eu:4', { cap: 1 })] },
    { region: 'us', steps: [step('eu:3', { cap: 1 })] },
  ]);
  expect([areSame(sides), gapsIn(sides)]).toEqual([false, ['us lacks 1 event of eu.']]);
});

it('a region that has heard nothing of a cart shows an empty one, and lacks all of it', () => {
  const sides = sidesOf([
    { region: 'eu', steps: [] },
    { region: 'us', steps: [step('us:0', { cap: 1 })] },
  ]);
  expect(sides[0]).toEqual({
    region: 'eu',
    heard: [
      { of: 'eu', offset: undefined, lacks: 0 },
      { of: 'us', offset: undefined, lacks: 1 },
    ],
    lines: [{ lineId: 'cap', quantity: 0, differs: true }],
  });
});
