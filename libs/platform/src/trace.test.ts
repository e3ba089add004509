import { describe, expect, it } from 'vitest';
import { continueTrace, parseTraceparent, startTrace, pooledRandomBytes } from './trace.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
let next = 0;
const random = (length: number) => new Uint8Array(length).fill((next += 1));

describe('traceparent', () => {
  it('goes on with the same trace, a new span, and the sampling flag', () => {
    const mine = continueTrace(`00-${traceId}-${spanId}-01`, random);
    expect(mine).toMatchObject({ traceId, traceparent: `00-${traceId}-${mine.spanId}-01` });
    expect(mine.spanId).not.toBe(spanId);
    expect(continueTrace(`00-${traceId}-${spanId}-00`, random).traceparent).toMatch(/-00$/);
    expect(continueTrace(`00-${traceId}-${spanId}-ff`, random).traceparent).toMatch(/-01$/);
  });

  it('of a later version is read as far as it is known', () => {
    expect(parseTraceparent(`cc-${traceId}-${spanId}-01-what-the-future-brings`)).toEqual({ traceId, spanId, flags: '01' });
  });

  it.each([
    undefined,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01,00-${traceId}-${spanId}-01`,
    `cc-${traceId}-${spanId}-01-${'x'.repeat(200)}`,
  ])('%j begins a new trace', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
    expect(continueTrace(header, random).traceId).not.toBe(traceId);
  });

  it('is valid even where the random source is not', () => {
    expect(parseTraceparent(startTrace((length) => new Uint8Array(length)).traceparent)).toBeDefined();
    expect(() => startTrace(() => new Uint8Array(3))).toThrow(RangeError);
  });
});

it('gives out every random byte of a pool once', () => {
  let next = 0;
  const random = pooledRandomBytes((length) => Uint8Array.from({ length }, () => next++ % 251));
  const given = Array.from({ length: 600 }, () => random(8));
  // A pool of 4,096 holds 512 of these. The next pool holds nothing of the first.
  expect([...given[0]!]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect([...given[512]!]).toEqual(Array.from({ length: 8 }, (_, index) => (4_096 + index) % 251));
  expect([...given[511]!]).toEqual(Array.from({ length: 8 }, (_, index) => (4_088 + index) % 251));
  expect(random(5_000)).toHaveLength(5_000);
});
