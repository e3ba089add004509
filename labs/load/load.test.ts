/** The pace and the words of `npm run load`. e2e/carts/load.embedded.e2e.ts runs it on a real shop. */
import type { ShopTransport } from '@cloakroom/testing';
import { describe, expect, it } from 'vitest';
import { isLoopbackUrl, paced } from './live-in-shop.ts';
import { openTally } from './tally.ts';

const call = { gateway: 'http://localhost:1', method: 'GET', path: '/', headers: {}, from: '127.0.0.1' };
const answer = (status: number, code?: string) => ({ status, headers: {}, body: code === undefined ? {} : { code } });

function shop(): ShopTransport & { readonly asked: number[]; loses: unknown[] } {
  const asked: number[] = [];
  const loses: unknown[] = [];
  const answered = (one: typeof call & { readonly loses?: unknown }) => {
    asked.push(performance.now());
    loses.push(one.loses);
    return Promise.resolve(answer(200));
  };
  return { asked, loses, call: answered, close: () => undefined };
}

describe('the pace', () => {
  const signal = new AbortController().signal;

  it('lets no more calls begin than the rate, however many people ask at once', async () => {
    const inner = shop();
    const transport = paced(inner, { rate: 200, signal, tally: openTally(() => 0) });
    await Promise.all(Array.from({ length: 41 }, () => transport.call(call)));
    expect(inner.asked).toHaveLength(41);
    // The first begins at once, the last 40 / 200 s later. A timer may fire a millisecond early.
    expect(inner.asked.at(-1)! - inner.asked[0]!).toBeGreaterThan(195);
  });

  it('loses no answer on purpose, as a chaos run does', async () => {
    const inner = shop();
    await paced(inner, { rate: 200, signal, tally: openTally(() => 0) }).call({ ...call, loses: 'answer' });
    expect(inner.loses).toEqual([undefined]);
  });

  it('sends nothing after the end, and lets nobody wait for a turn', async () => {
    const inner = shop();
    const stop = new AbortController();
    const tally = openTally(() => 0);
    const transport = paced(inner, { rate: 1, signal: stop.signal, tally });
    await transport.call(call);
    const waiting = Array.from({ length: 100 }, () => transport.call(call));
    stop.abort();
    expect((await Promise.all(waiting)).every(({ status }) => status === 0)).toBe(true);
    expect([inner.asked.length, tally.answered]).toEqual([1, 1]);
  });
});

describe('a line', () => {
  it('tells rate, times and refusals by code since the line before', () => {
    let nowMs = 0;
    const tally = openTally(() => nowMs);
    for (let ms = 1; ms <= 100; ms++) tally.note(answer(200), ms);
    tally.note(answer(409, 'out_of_stock'), 5);
    tally.note(answer(409, 'out_of_stock'), 5);
    tally.note(answer(502), 5);
    tally.note({ ...answer(0), error: 'ECONNREFUSED' }, 1);
    nowMs = 5_000;
    const line = tally.line();
    expect(line).toMatch(/^00:05 {3}20\.6 requests\/s {2}p50 (4[89]|50)(\.\d)? ms {2}p99 \d+(\.\d)? ms {2}refused: /);
    expect(line).toContain('409 out_of_stock 2x');
    expect(line).toContain('502 1x');
    expect(line).toContain('no answer (ECONNREFUSED) 1x');
    nowMs = 10_000;
    expect(tally.line()).toBe('00:10    0.0 requests/s  no answers  refused: none');
    expect(tally.total()).toContain('in all: 103 answers in 00:10');
  });
});

it('only addresses of this machine are loopback', () => {
  for (const url of ['http://localhost:4000', 'http://127.0.0.1:4000', 'http://[::1]:4000']) expect(isLoopbackUrl(url)).toBe(true);
  for (const url of ['http://localhost.example.com', 'http://10.0.0.1', 'http://127.example.com', 'https://shop.example.com'])
    expect(isLoopbackUrl(url)).toBe(false);
});
