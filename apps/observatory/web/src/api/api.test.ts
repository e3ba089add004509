import { expect, it } from 'vitest';
import { traineeIn, newTrainee } from './trainee.ts';
import { curlOf, mayRepeat } from '../requests/curl.ts';
import { recorded } from '../requests/recorded.fixture.ts';
import { ms, percent } from '../words/numbers.ts';
import { keyInFragment } from './key.ts';
import { readLines } from './lines.ts';
import { requestCountMax, withRequests } from './request-log.ts';

it('takes the key out of the address, and leaves the rest of it', () => {
  const place = { pathname: '/requests/7', search: '?hop=3' };
  expect(keyInFragment({ ...place, hash: '#key=abc_-1' })).toEqual({ key: 'abc_-1', rest: '/requests/7?hop=3' });
  expect(keyInFragment({ ...place, hash: '#key=abc&at=2' })).toEqual({ key: 'abc', rest: '/requests/7?hop=3#at=2' });
  expect(keyInFragment({ ...place, hash: '#top' })).toBeUndefined();
  expect(keyInFragment({ ...place, hash: '#key=' })).toBeUndefined();
});

it('reads lines that arrive in pieces, and skips one that is no JSON', async () => {
  const pieces = ['{"kind":"be', 'at"}\n{"ki', '\n\n{"kind":"stack","name":"K\u00f6ln"}\n{"kind":"lost'];
  const bytes = new TextEncoder().encode(pieces.join(''));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // One byte at a time: a letter of two bytes is cut as well.
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const read: unknown[] = [];
  for await (const line of readLines(body)) read.push(line);
  expect(read).toEqual([{ kind: 'beat' }, { kind: 'stack', name: 'Köln' }]);
});

it('keeps each request once, by its latest word, newest first, and no more than its bound', () => {
  const old = { ...recorded, traceId: '1', startedAtMs: 1, settledMs: 5 };
  const young = { ...recorded, traceId: '2', startedAtMs: 2 };
  expect(withRequests([old], [young, { ...old, settledMs: 9 }]).map(({ traceId, settledMs }) => [traceId, settledMs])).toEqual([
    ['2', recorded.settledMs],
    ['1', 9],
  ]);
  const many = Array.from({ length: requestCountMax + 20 }, (_, index) => ({ ...recorded, traceId: `t${index}`, startedAtMs: index }));
  const kept = withRequests([], many);
  expect(kept).toHaveLength(requestCountMax);
  expect(kept[0]?.traceId).toBe(`t${requestCountMax + 19}`);
});

it('finds the trainee among other cookies, and takes none that the services would refuse', () => {
  expect(traineeIn('a=b; trainee=t-0a1b; c=d')).toBe('t-0a1b');
  expect(traineeIn('xtrainee=1')).toBeUndefined();
  expect(traineeIn('trainee=<script>')).toBeUndefined();
  expect(newTrainee(Uint8Array.of(0, 10, 255, 1))).toBe('t-000aff01');
});

it('copies a request as a command that a shell takes as it stands', () => {
  expect(curlOf({ name: 'GET /api/cart', experiment: undefined }, 'http://localhost:4000')).toBe(
    "curl -i -b cookies.txt -c cookies.txt 'http://localhost:4000/api/cart'",
  );
  expect(curlOf({ name: "POST /api/it's", experiment: 't-1' }, 'http://localhost:4000')).toContain("'http://localhost:4000/api/it'\\''s'");
  expect(curlOf(recorded, 'http://localhost:4000')).toContain("-H 'x-experiment-id: t-e741c4b1'");
});

it('repeats a read whose address it knows, and nothing else', () => {
  expect(['GET /api/cart', 'GET /api/products/:productId', 'POST /api/cart/lines'].filter((name) => mayRepeat({ name }))).toEqual([
    'GET /api/cart',
  ]);
});

it('says numbers as people read them', () => {
  expect([0.1234, 4.25, 41.6, 1_250, 12_345].map(ms)).toEqual(['0.12 ms', '4.3 ms', '42 ms', '1.25 s', '12.3 s']);
  expect([0, 0.004, 0.674, 1].map(percent)).toEqual(['0 %', '< 1 %', '67 %', '100 %']);
});
