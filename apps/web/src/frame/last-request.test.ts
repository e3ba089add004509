import { describe, expect, it } from 'vitest';
import { createRequestLog, noteCountMax, noteOf, parseServerTiming, recording } from './last-request.ts';

const answer = (headers: Record<string, string>, status = 200) => ({ status, headers: new Headers(headers) });

describe('noteOf', () => {
  it('reads the replica, the decision and the budget from the headers that a gateway sends', () => {
    const note = noteOf(
      'GET',
      '/api/products?query=scarf',
      answer({
        'x-gateway': 'gateway-2',
        'server-timing': 'session;dur=0.1;desc="hybrid hit", catalog;dur=2.4, total;dur=3.2, budget;dur=1996.8;desc="left of 2000 ms"',
        traceresponse: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      }),
    );
    expect(note).toEqual({
      method: 'GET',
      path: '/api/products',
      status: 200,
      gateway: 'gateway-2',
      mode: 'hybrid',
      identity: 'hit',
      totalMs: 3.2,
      budgetMs: 2000,
      traceId: 'a'.repeat(32),
    });
  });
  it('knows a decision without a mode', () => {
    expect(noteOf('GET', '/api/session', answer({ 'server-timing': 'session;dur=0;desc="none"' }))).toMatchObject({
      identity: 'none',
      mode: undefined,
    });
  });
  it('tells nothing that the answer did not tell', () => {
    expect(noteOf('GET', '/api/cart', answer({}, 502))).toMatchObject({
      status: 502,
      gateway: undefined,
      identity: undefined,
      totalMs: undefined,
    });
  });
});

it('takes a comma or a semicolon inside quotes as text', () => {
  const entries = parseServerTiming('a;desc="one, two; three";dur=1, b;dur=x');
  expect([...entries]).toEqual([
    ['a', { durationMs: 1, description: 'one, two; three' }],
    ['b', { durationMs: undefined, description: undefined }],
  ]);
});

describe('the request log', () => {
  it('keeps the newest few, newest first, and says when there is one more', async () => {
    const log = createRequestLog();
    let told = 0;
    log.subscribe(() => told++);
    const fetch = recording(() => Promise.resolve(Response.json({})), log);
    for (let i = 1; i <= noteCountMax + 2; i++) await fetch(`/api/${i}`, { method: 'GET' });
    expect(log.read().map(({ path }) => path)).toEqual(['/api/8', '/api/7', '/api/6', '/api/5', '/api/4', '/api/3']);
    expect(told).toBe(noteCountMax + 2);
  });
  it('notes no request that got no answer', async () => {
    const log = createRequestLog();
    await expect(recording(() => Promise.reject(new TypeError('cut')), log)('/api/cart', {})).rejects.toThrow('cut');
    expect(log.read()).toEqual([]);
  });
});
