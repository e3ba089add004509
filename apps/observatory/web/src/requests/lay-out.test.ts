import { describe, expect, it } from 'vitest';
import { layOut } from './lay-out.ts';
import { firstHop, nextHop } from './next-hop.ts';
import { recorded } from './recorded.fixture.ts';
import { twoScales } from './scale.ts';
import { waitsOf } from './waits.ts';

describe('time on two scales', () => {
  const times = { startMs: 0, durationMs: 50, settledMs: 1_000 };

  it('leaves most of the width to what the person waited for, however long the rest took', () => {
    const scale = twoScales(times, 100, 1_100);
    expect(scale.x(0)).toBe(100);
    expect(scale.x(50)).toBeCloseTo(scale.answerX);
    expect(scale.x(1_000)).toBeCloseTo(1_100);
    expect((scale.answerX - 100) / 1_000).toBeGreaterThan(0.6);
  });

  it('never goes back: what is later stands further right', () => {
    const scale = twoScales({ ...times, startMs: -3 }, 0, 500);
    const instants = [-3, 0, 1, 25, 49.9, 50, 51, 500, 1_000];
    const xs = instants.map((at) => scale.x(at));
    expect(xs).toEqual(xs.toSorted((a, b) => a - b));
    expect(new Set(xs).size).toBe(xs.length);
  });

  it('has one scale where nothing came after the answer', () => {
    const scale = twoScales({ ...times, settledMs: 50 }, 0, 500);
    expect(scale.hasAfter).toBe(false);
    expect(scale.answerX).toBe(500);
    expect(scale.x(25)).toBe(250);
  });

  it('marks the answer, and no other instant so near that the texts touch', () => {
    const { ticks, answerX } = twoScales(times, 0, 600);
    expect(ticks.filter(({ x }) => Math.abs(x - answerX) < 30).map(({ ms }) => ms)).toEqual([50]);
  });
});

describe.each([320, 1_000])('the lanes at %i px', (width) => {
  const drawing = layOut(recorded, width);
  const bar = (spanId: string) => drawing.bars.find(({ span }) => span.spanId === spanId)!;

  it('draw each hop once, inside of the drawing', () => {
    expect(drawing.bars.map(({ span }) => span.spanId).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    for (const { x, y } of drawing.bars) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(width);
      expect(y).toBeLessThan(drawing.height);
    }
  });

  it('let no two hops lie on each other', () => {
    for (const one of drawing.bars)
      for (const other of drawing.bars)
        if (one !== other && one.y === other.y) expect(one.x + one.width <= other.x || other.x + other.width <= one.x).toBe(true);
  });

  it('put work within other work below it, and later work into the shade', () => {
    expect(bar('d').y).toBeGreaterThan(bar('c').y);
    expect(bar('f').x).toBeGreaterThan(drawing.scale.answerX);
    expect(bar('e').x).toBeLessThan(drawing.scale.answerX);
  });

  it('put the page that saw the outcome last', () => {
    expect(drawing.lanes.map(({ lane }) => lane.id)).toEqual(['gateway-1', 'auth', 'cart-projector', 'page-7']);
  });

  it('draw the path as one line without a gap, from the start to the answer', () => {
    const { strokes, scale } = drawing;
    expect(strokes).toHaveLength(recorded.path.length);
    expect(strokes[0]?.x).toBe(scale.startX);
    expect(strokes.at(-1)?.toX).toBeCloseTo(scale.answerX);
    strokes.slice(1).forEach(({ x, y }, index) => {
      expect(x).toBeCloseTo(strokes[index]!.toX);
      expect(y).toBe(strokes[index]!.nextY);
    });
  });

  it('show the share of each lane, and all shares are the whole', () => {
    expect(drawing.lanes.find(({ lane }) => lane.id === 'auth')?.share).toBeCloseTo(0.9);
    expect(drawing.lanes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  it('join by an arrow what the answer did not wait for, also where it ended before the answer', () => {
    expect(drawing.arrows).toHaveLength(2);
    const early = { startMs: 150, durationMs: 5, afterAnswer: false, waited: false };
    const spans = recorded.spans.map((span) => (span.spanId === 'f' ? { ...span, ...early } : span));
    expect(layOut({ ...recorded, spans }, width).arrows).toHaveLength(2);
  });

  it('mark the part of the path of which nobody told anything', () => {
    const path = recorded.path.map((step) => (step.spanId === 'd' ? { ...step, kind: 'untold' as const } : step));
    expect(layOut({ ...recorded, path }, width).strokes.map(({ explained }) => explained)).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
      true,
    ]);
    expect(waitsOf({ ...recorded, path }).filter(({ explained }) => !explained)).toMatchObject([{ spanId: 'd', waitMs: 120 }]);
  });
});

it('a label fits its place: it never runs over the next bar of its row', () => {
  for (const width of [280, 400, 700, 1_400])
    for (const { label, x, width: barWidth, y } of layOut(recorded, width).bars) {
      if (!label) continue;
      const end = label.x + label.text.length * 6.6;
      const next = layOut(recorded, width)
        .bars.filter((other) => other.y === y && other.x > x)
        .map((other) => other.x);
      expect(end).toBeLessThanOrEqual(Math.max(label.inside ? x + barWidth : 0, Math.min(...next, width)) + 0.5);
    }
});

describe('by keys', () => {
  it('left and right walk through time, up and down through lanes', () => {
    expect(nextHop(recorded, 'c', 'ArrowRight')).toBe('d');
    expect(nextHop(recorded, 'c', 'ArrowLeft')).toBe('b');
    expect(nextHop(recorded, 'e', 'ArrowDown')).toBe('f');
    expect(nextHop(recorded, 'd', 'ArrowUp')).toBe('b');
    expect(nextHop(recorded, 'a', 'End')).toBe('g');
  });

  it('a walk ends at the last hop, and other keys are left to the page', () => {
    expect(nextHop(recorded, 'g', 'ArrowRight')).toBeUndefined();
    expect(nextHop(recorded, 'a', 'x')).toBeUndefined();
  });

  it('the first hop is where an identity was decided, else the longest wait', () => {
    expect(firstHop(recorded)).toBe('d');
    const identity = { decision: 'hit' } as NonNullable<(typeof recorded.spans)[number]['identity']>;
    expect(firstHop({ ...recorded, spans: recorded.spans.map((span) => (span.spanId === 'c' ? { ...span, identity } : span)) })).toBe('c');
  });
});

it('adds up what was waited for in one hop, and says what the request had taken without it', () => {
  const waits = waitsOf(recorded);
  expect(waits.map(({ name, waitMs }) => `${name} ${waitMs}`)).toEqual([
    'POST /api/session/login 4',
    'on the way to auth 8',
    'Login 60',
    'argon2 verify 120',
    'on the way back from auth 8',
  ]);
  expect(waits.reduce((sum, { waitMs }) => sum + waitMs, 0)).toBe(recorded.durationMs);
  expect(waits.find(({ name }) => name === 'argon2 verify')?.atBestMs).toBe(80);
});
