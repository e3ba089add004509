import type { PostApiPageSpansBody } from '@cloakroom/contracts/http';
import { describe, expect, it } from 'vitest';
import { createPageSpans } from './page-spans.ts';

const cause = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;

function stage(takes = true, storage = { isOn: false }) {
  const sent: PostApiPageSpansBody[] = [];
  const asked: { path: string; traceparent: string | null }[] = [];
  const idle: (() => void)[] = [];
  let [now, byte] = [1_000, 0];
  const spans = createPageSpans({
    clock: () => now,
    wallMs: () => now + 1_000_000,
    randomBytes: (count) => new Uint8Array(count).fill(++byte),
    send: (body) => {
      sent.push(body);
      return Promise.resolve(takes);
    },
    whenIdle: (run) => void idle.push(run),
    recall: () => storage.isOn,
    remember: (isOn) => void (storage.isOn = isOn),
  });
  const fetch = spans.watching((path, init) => {
    asked.push({ path, traceparent: new Headers(init.headers).get('traceparent') });
    now += 40;
    return Promise.resolve(new Response('{}'));
  });
  const settle = (): void => idle.splice(0).forEach((run) => run());
  return { spans, fetch, asked, sent, settle, pass: (ms: number) => void (now += ms), now: () => now };
}

describe('the times of a page', () => {
  it('are neither taken nor told without an Observatory, and its requests carry no trace', async () => {
    const { spans, fetch, asked, sent, settle, now } = stage();
    spans.acted(now());
    await fetch('/api/cart/lines', { method: 'POST' });
    spans.heard('/api/cart', cause)('show the changed cart');
    settle();
    expect([asked, sent]).toEqual([[{ path: '/api/cart/lines', traceparent: null }], []]);
  });

  it('begin at the click and end at the answer, in the trace that the request began', async () => {
    const { spans, fetch, asked, sent, settle, now, pass } = stage();
    spans.switchOn();
    spans.acted(now());
    pass(12);
    await fetch('/api/cart/lines', { method: 'POST', headers: { 'content-type': 'application/json' } });
    await fetch('/api/cart', {});
    settle();
    const [line, cart] = asked;
    expect(line!.traceparent).toMatch(/^00-(01){16}-(02){8}-01$/);
    expect(cart!.traceparent).not.toBe(line!.traceparent);
    expect(sent).toEqual([
      {
        spans: [
          { name: 'add to cart', traceparent: line!.traceparent, startedAtMs: 1_001_000, durationMs: 52 },
          { name: 'read cart', traceparent: cart!.traceparent, startedAtMs: 1_001_052, durationMs: 40 },
        ],
      },
    ]);
  });

  it('do not begin at a click that was too long ago to be the cause', async () => {
    const { spans, fetch, sent, settle, now, pass } = stage();
    spans.switchOn();
    spans.acted(now());
    pass(201);
    await fetch('/api/orders', {});
    settle();
    expect(sent[0]!.spans[0]).toMatchObject({ name: 'read orders', durationMs: 40 });
  });

  it('continue the trace of a live event, until the change is shown', async () => {
    const { spans, fetch, asked, sent, settle, pass } = stage();
    spans.switchOn();
    const shown = spans.heard('/api/cart', cause);
    pass(5);
    await fetch('/api/cart', {});
    pass(15);
    shown('show the changed cart');
    await fetch('/api/cart', {});
    settle();
    expect(asked[0]!.traceparent).toBe(cause);
    expect(asked[1]!.traceparent).not.toBe(cause);
    expect(sent[0]!.spans[0]).toEqual({ name: 'show the changed cart', traceparent: cause, startedAtMs: 1_001_000, durationMs: 60 });
    expect(sent[0]!.spans).toHaveLength(2);
  });

  it('say nothing of a live event that made the page read nothing, or that names no trace', async () => {
    const { spans, fetch, asked, sent, settle } = stage();
    spans.switchOn();
    spans.heard('/api/cart', cause)('show the changed cart');
    spans.heard('/api/cart', undefined);
    await fetch('/api/cart', {});
    settle();
    expect(asked[0]!.traceparent).not.toBe(cause);
    expect(sent.flatMap((body) => body.spans.map(({ name }) => name))).toEqual(['read cart']);
  });

  it('are told 20 at a time, with names that hold no id and no search', async () => {
    const { spans, fetch, sent, settle } = stage();
    spans.switchOn();
    for (let count = 0; count < 21; count++) await fetch(`/api/products/private-${count}?query=secret`, { method: 'PUT' });
    settle();
    expect(sent.map((body) => body.spans.length)).toEqual([20, 1]);
    expect(new Set(sent.flatMap((body) => body.spans.map(({ name }) => name)))).toEqual(new Set(['change products']));
  });

  it('begin with the first read after a reload, as long as an Observatory watches', async () => {
    const storage = { isOn: false };
    stage(true, storage).spans.switchOn();
    const reloaded = stage(true, storage);
    await reloaded.fetch('/api/session', {});
    reloaded.settle();
    expect(reloaded.sent[0]!.spans[0]).toMatchObject({ name: 'read session' });
    const unwatched = stage(false, storage);
    await unwatched.fetch('/api/session', {});
    unwatched.settle();
    await Promise.resolve();
    const last = stage(true, storage);
    await last.fetch('/api/session', {});
    last.settle();
    expect(last.asked[0]!.traceparent).toBeNull();
  });

  it('are told no longer where the gateway takes none', async () => {
    const { spans, fetch, asked, sent, settle } = stage(false);
    spans.switchOn();
    await fetch('/api/cart', {});
    settle();
    await Promise.resolve();
    await fetch('/api/cart', {});
    settle();
    expect(sent).toHaveLength(1);
    expect(asked.at(-1)!.traceparent).toBeNull();
  });
});
