import { observed } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { originMs, span } from './program.fixture.ts';
import { viewRequest } from './request-view.ts';

const alone = { spansOf: () => [], tracesThatLinkTo: () => [] };
const rpc = { 'rpc.method': 'cloakroom.cart.v1.CartService/GetCart' };
const waits = (first: number, second: number) => ({ [observed.faultWaits]: `${first} 50.25, ${second} 49.5` });

/** @param lateMs by how much the clock of cart is ahead */
const waitsOf = (lateMs: number) => {
  const first = Math.ceil(originMs) + lateMs;
  const client = span({ spanId: '1', startMs: originMs, endMs: originMs + 120, kind: 'client', service: 'gateway', attributes: rpc });
  const server = span({
    ...client,
    spanId: '2',
    parentId: '1',
    kind: 'server',
    service: 'cart',
    startMs: originMs + lateMs,
    endMs: originMs + lateMs + 120,
    attributes: { ...rpc, ...waits(first + 1, first + 60) },
  });
  return viewRequest([client, server], alone)!.spans.map(({ faultWaits }) => faultWaits);
};
const inRequest = [
  { startMs: Math.ceil(originMs) - originMs + 1, durationMs: 50.25 },
  { startMs: Math.ceil(originMs) - originMs + 60, durationMs: 49.5 },
];

it('the waits of a fault are told with their span, from the request’s start', () => {
  expect(waitsOf(0)).toEqual([[], inRequest]);
});

it('waits move with a span whose clock is put right', () => {
  expect(waitsOf(2_000)).toEqual([[], inRequest]);
});
