import { expect, it } from 'vitest';
import type { StoredSpan } from '../span.ts';
import { SpanStore } from './span-store.ts';

const span = (traceId: string, spanId: string, more: Partial<StoredSpan> = {}): StoredSpan => ({
  traceId,
  spanId,
  parentId: undefined,
  name: 'GET /api/cart',
  kind: 'server',
  startMs: 0,
  endMs: 1,
  failure: undefined,
  service: 'gateway',
  attributes: {},
  links: [],
  ...more,
});
/** Room for about ten spans. */
const small = { bytes: 6_500, bytesOfTrace: 6_500, spansOfTrace: 3 };
const open = (bounds = small) => new SpanStore(() => 0, bounds);

it('keeps the newest requests when it is full: the trace that came first goes first, whole', () => {
  const store = open();
  for (const trace of ['a', 'b', 'c', 'd', 'e']) store.add([span(trace, `${trace}1`), span(trace, `${trace}2`), span(trace, `${trace}3`)]);
  expect(store.traceIds()).toEqual(['e', 'd', 'c']);
  expect(store.spansOf('a')).toEqual([]);
  expect(store.spansOf('e')).toHaveLength(3);
  expect(store.kept.bytes).toBeLessThanOrEqual(small.bytes);
});

it('a late span does not make an old trace young', () => {
  const store = open();
  store.add([span('a', 'a1')]);
  for (const trace of ['b', 'c']) store.add([span(trace, `${trace}1`), span(trace, `${trace}2`), span(trace, `${trace}3`)]);
  store.add([span('a', 'a2')]);
  store.add([span('d', 'd1'), span('d', 'd2'), span('d', 'd3')]);
  expect(store.traceIds()).toEqual(['d', 'c', 'b']);
});

it('a trace without end takes no more than its share', () => {
  const store = open();
  store.add([span('other', 'o1')]);
  for (let index = 0; index < 1_000; index++) store.add([span('flood', `s${index}`)]);
  expect(store.spansOf('flood')).toHaveLength(3);
  expect(store.spansOf('other')).toHaveLength(1);
});

it('long texts count as what they are', () => {
  const store = open();
  for (const trace of ['a', 'b', 'c']) store.add([span(trace, `${trace}1`, { attributes: { claims: 'x'.repeat(1_500) } })]);
  expect(store.traceIds()).toEqual(['c']);
});

it('long names of attributes count too', () => {
  const store = open();
  for (const trace of ['a', 'b', 'c']) store.add([span(trace, `${trace}1`, { attributes: { ['x'.repeat(1_500)]: 1 } })]);
  expect(store.traceIds()).toEqual(['c']);
});

it('a trace of large spans takes no more than its share either, and pushes out no other', () => {
  const store = open({ bytes: 40_000, bytesOfTrace: 10_000, spansOfTrace: 1_000 });
  store.add([span('other', 'o1')]);
  for (let index = 0; index < 50; index++) store.add([span('large', `l${index}`, { attributes: { text: 'x'.repeat(950) } })]);
  expect(store.kept).toMatchObject({ traces: 2, spans: 4, forgottenTraces: 0, leftOutSpans: 47 });
});

it('counts what it forgot and what it left out', () => {
  const store = open();
  for (const trace of ['a', 'b', 'c', 'd', 'e']) store.add(['1', '2', '3', '4'].map((id) => span(trace, `${trace}${id}`)));
  expect(store.kept).toMatchObject({ forgottenTraces: 2, leftOutSpans: 5 });
});

it('an export that is repeated counts once', () => {
  const store = open();
  store.add([span('a', 'a1')]);
  store.add([span('a', 'a1')]);
  expect(store.kept.spans).toBe(1);
});

it('finds the batches that link to a request, and forgets them with their trace', () => {
  const store = open();
  store.add([span('request', 'r1')]);
  store.add([span('batch', 'b1', { links: [{ traceId: 'request', spanId: 'r1' }] })]);
  expect(store.tracesThatLinkTo('request')).toEqual(['batch']);
  for (const trace of ['c', 'd', 'e', 'f']) store.add([span(trace, `${trace}1`), span(trace, `${trace}2`), span(trace, `${trace}3`)]);
  expect(store.tracesThatLinkTo('request')).toEqual([]);
});
