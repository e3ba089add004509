import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RequestSummary } from '../../../src/api.ts';
import { type Seen, steps, withSightings } from './steps.ts';

const nothing: Seen = { mine: [], others: [], faults: [], restarted: [] };
const request = (name: string, more: Partial<RequestSummary> = {}): RequestSummary => ({
  traceId: name,
  name,
  status: 200,
  startedAtMs: Date.now(),
  durationMs: 10,
  settledMs: 10,
  toldPage: false,
  decision: undefined,
  subject: 'u_ada',
  experiment: 'ada',
  gateway: 'gateway-1',
  ...more,
});
const doneIn = (seen: Partial<Seen>) => steps.filter(({ isDone }) => isDone({ ...nothing, ...seen })).map(({ id }) => id);
const on = (name: 'rpc-answer-lost' | 'projector-held'): Seen['faults'] => [
  { id: name, name, fromMs: Date.now() - 1_000, untilMs: Date.now() + 1_000 },
];

it('nothing is ticked off before it happened', () => {
  expect(doneIn({})).toEqual([]);
});

it.each<[string, Partial<Seen>]>([
  ['one-request', { mine: [request('POST /api/cart/lines', { status: 202 })] }],
  [
    'other-window',
    {
      mine: [request('POST /api/session/login', { toldPage: true })],
      others: [request('POST /api/session/login', { experiment: undefined })],
    },
  ],
  ['lost-answer', { mine: [request('POST /api/cart/lines', { status: 503 })], faults: on('rpc-answer-lost') }],
  ['end-a-device', { mine: [request('DELETE /api/session/devices', { status: 204 })] }],
])('%s is ticked off by its own sign', (id, seen) => {
  expect(doneIn(seen)).toEqual([id]);
});

it('who-decided is ticked off by the read of a page that was loaded after the addition, and not by the read that follows the addition itself', () => {
  const atMs = Date.now();
  const added = request('POST /api/cart/lines', { status: 202, startedAtMs: atMs });
  const read = (afterMs: number) => request('GET /api/cart', { decision: 'hybrid hit', startedAtMs: atMs + afterMs });
  const loaded = (afterMs: number) => request('GET /*', { startedAtMs: atMs + afterMs });
  expect(doneIn({ mine: [loaded(-20), read(-10)] })).toEqual([]);
  expect(doneIn({ mine: [loaded(-20), added, read(10)] })).toEqual(['one-request']);
  for (const file of ['GET /images/*', 'GET /assets/*'])
    expect(doneIn({ mine: [loaded(-20), added, request(file, { startedAtMs: atMs + 5 }), read(10)] })).toEqual(['one-request']);
  expect(doneIn({ mine: [loaded(-20), added, read(10), loaded(20)] })).toEqual(['one-request']);
  expect(doneIn({ mine: [loaded(-20), added, read(10), loaded(20), read(30)] })).toEqual(['one-request', 'who-decided']);
});

it('a write while the projector is held ticks off both', () => {
  const seen = { mine: [request('POST /api/cart/lines', { status: 202 })], faults: on('projector-held') };
  expect(doneIn(seen)).toEqual(['one-request', 'held-view']);
});

it('a refused write, another’s request and an old one tick off nothing', () => {
  expect(doneIn({ mine: [request('POST /api/cart/lines', { status: 409 })] })).toEqual([]);
  expect(
    doneIn({ others: [request('POST /api/cart/lines', { status: 202 }), request('GET /api/cart', { decision: 'hybrid hit' })] }),
  ).toEqual([]);
  const old = request('POST /api/cart/lines', { status: 503, startedAtMs: Date.now() - 60_000 });
  expect(doneIn({ mine: [old], faults: on('rpc-answer-lost') })).toEqual([]);
});

it('a fault is known from when it was first seen on until when it was last seen on, also after its end', () => {
  const first = withSightings([], [{ id: 'f1', name: 'projector-held' }], 1_000);
  const second = withSightings(first, [{ id: 'f1', name: 'projector-held' }], 3_000);
  expect(withSightings(second, [], 9_000)).toEqual([{ id: 'f1', name: 'projector-held', fromMs: 1_000, untilMs: 3_000 }]);
});

it('the steps are those of docs/tour.md, in its order', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../../docs/tour.md'), 'utf8');
  const headings = [...text.matchAll(/^## \d\. (.+?)(?: \(.*\))?$/gm)].map(([, title]) => title!);
  expect(headings.map((title) => title.replace(/, in two modes$/, ''))).toEqual(steps.map(({ title }) => title));
});
