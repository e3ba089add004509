import { expect, it } from 'vitest';
import { parseOtlp } from './parse-otlp.ts';

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const spanWith = (attributes: readonly object[]) => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'x'.repeat(3_000),
  startTimeUnixNano: '1',
  endTimeUnixNano: '2',
  attributes,
});
const parsed = (attributes: readonly object[]) => parseOtlp({ resourceSpans: [{ scopeSpans: [{ spans: [spanWith(attributes)] }] }] })[0]!;

it('a text that is too long is cut, and an attribute whose name is too long is left out', () => {
  const { name, attributes } = parsed([text('short', 'kept'), text('long', 'y'.repeat(5_000)), text('n'.repeat(101), 'gone')]);
  expect(name).toHaveLength(2_000);
  expect(attributes).toEqual({ short: 'kept', long: 'y'.repeat(2_000) });
});

it('a span has no more attributes than any service sets', () => {
  expect(Object.keys(parsed(Array.from({ length: 100 }, (_, index) => text(`a${index}`, ''))).attributes)).toHaveLength(64);
});
