import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problem } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import { ask, openStage, type Stage, until } from '../testing/gateway.fixture.ts';
import { streamsPerSessionMax } from './streams.ts';

let stage: Stage;
const open: AbortController[] = [];
beforeEach(async () => {
  stage = await openStage({ STREAM_COUNT_MAX: '8' });
});
afterEach(async () => {
  for (const stream of open.splice(0)) stream.abort();
  await stage.stop();
});

interface Listening {
  readonly status: number;
  readonly headers: Headers;
  /** All that came so far. */
  text: string;
  ended: boolean;
  close(): void;
}

async function listen(token?: string): Promise<Listening> {
  const abort = new AbortController();
  open.push(abort);
  const response = await fetch(`${stage.url}/api/events`, {
    headers: { ...(token !== undefined && { cookie: `__Host-session=${token}` }) },
    signal: abort.signal,
  });
  const listening: Listening = { status: response.status, headers: response.headers, text: '', ended: false, close: () => abort.abort() };
  void (async () => {
    try {
      for await (const chunk of response.body!) listening.text += Buffer.from(chunk).toString();
    } catch {
      // Aborted by the test or cut by the server: an end either way.
    }
    listening.ended = true;
  })();
  return listening;
}

const count = (text: string, event: string): number => text.split(`event: ${event}\n`).length - 1;

describe('a live stream', () => {
  it.each(['guest', 'user'] as const)('tells a %s that the cart changed', async (state) => {
    const stream = await listen(stage.auth.begin(state));
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(stream.headers.get('content-security-policy')).toContain("default-src 'self'");
    await until(() => count(stream.text, 'cart') === 1 && stage.services.cart.watchers === 1);
    stage.services.cart.changed();
    await until(() => count(stream.text, 'cart') === 2);
  });

  it('is refused without a session, without a live one, and on HEAD', async () => {
    const none = await ask(stage.url, '/api/events');
    expect([none.status, none.body.code]).toEqual([401, 'session_required']);
    const token = stage.auth.begin('guest');
    await stage.end(token);
    expect((await ask(stage.url, '/api/events', { token })).body.code).toBe('session_ended');
    expect((await fetch(`${stage.url}/api/events`, { method: 'HEAD' })).status).toBe(405);
  });

  it('ends when a revocation is heard, and says so first', async () => {
    const token = stage.auth.begin('user');
    const stream = await listen(token);
    await until(() => count(stream.text, 'cart') === 1);
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    await stage.end(token);
    await until(() => stream.ended);
    expect(stream.text.endsWith('event: session\ndata: {"state":"none"}\n\n')).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(1_000));
    await until(() => stage.services.cart.watchers === 0);
  });

  it('ends within its bound though no revocation is heard and the feed is silent', async () => {
    const token = stage.auth.begin('user');
    const stream = await listen(token);
    await until(() => count(stream.text, 'cart') === 1);
    stage.relay.stopBeating();
    stage.auth.sessionOf(token).live = false;
    await until(() => stream.ended, 4_500);
    expect(stream.text).toContain('{"state":"none"}');
  });

  it('tells nothing more to a session that ended, whatever the cart does', async () => {
    const token = stage.auth.begin('user');
    const stream = await listen(token);
    await until(() => count(stream.text, 'cart') === 1);
    await stage.end(token);
    stage.services.cart.changed();
    await until(() => stream.ended);
    expect(stream.text.endsWith('event: session\ndata: {"state":"none"}\n\n')).toBe(true);
  });

  it('never touches the session', async () => {
    const token = stage.auth.begin('user');
    const stream = await listen(token);
    await until(() => count(stream.text, 'cart') === 1);
    const resolves = stage.auth.requests
      .filter(({ method }) => method === 'resolve')
      .map(({ request }) => (request as { touch: boolean }).touch);
    expect(resolves.length).toBeGreaterThan(0);
    expect(resolves).not.toContain(true);
    await ask(stage.url, '/api/cart', { token });
    expect(stage.auth.requests.at(-1)?.request).toMatchObject({ touch: true });
  });

  it('opens again to the cart service, and has the page read again', async () => {
    const stream = await listen(stage.auth.begin('guest'));
    await until(() => count(stream.text, 'cart') === 1);
    stage.services.cart.breakWatchers();
    await until(() => count(stream.text, 'cart') === 2);
    expect(stream.ended).toBe(false);
  });

  it('tells a person which order changed, and never asks for those of a guest', async () => {
    const stream = await listen(stage.auth.begin('user'));
    await until(() => stage.services.orders.watchers === 1);
    stage.services.orders.changed('order-7');
    await until(() => stream.text.includes('event: order\ndata: {"orderId":"order-7"}\n\n'));
    const guest = await listen(stage.auth.begin('guest'));
    await until(() => count(guest.text, 'cart') === 1);
    expect(stage.services.seen.filter(({ method }) => method === 'watchOrders')).toHaveLength(1);
    stream.close();
    await until(() => stage.services.orders.watchers === 0);
  });

  it('goes on telling of the cart while orders is away, and hears of orders again', async () => {
    stage.services.orders.failing = problem('unavailable');
    const stream = await listen(stage.auth.begin('user'));
    await until(() => count(stream.text, 'cart') === 1);
    await until(() => stage.services.seen.filter(({ method }) => method === 'watchOrders').length >= 2);
    stage.services.cart.changed();
    await until(() => count(stream.text, 'cart') === 2);
    stage.services.orders.failing = undefined;
    await until(() => stage.services.orders.watchers === 1);
    stage.services.orders.changed('order-8');
    await until(() => count(stream.text, 'order') === 1);
    expect(stream.ended).toBe(false);
  });

  it('ends when nobody can say whether the session lives', async () => {
    const token = stage.auth.begin('user');
    const stream = await listen(token);
    await until(() => count(stream.text, 'cart') === 1);
    stage.auth.failing = problem('unavailable');
    await stage.relay.publish(
      { case: 'heartbeat', value: { $typeName: 'cloakroom.events.v1.Heartbeat', globalEpoch: 0n, boot: '', beatMs: 0n } },
      false,
    );
    await until(() => stream.ended);
    expect(stream.text).not.toContain('none');
  });

  it('is one of a bounded number, of a session and in all', async () => {
    const [first, second] = [stage.auth.begin('user'), stage.auth.begin('user')];
    const mine = await Promise.all(Array.from({ length: streamsPerSessionMax }, () => listen(first)));
    expect(mine.every((stream) => stream.status === 200)).toBe(true);
    const over = await ask(stage.url, '/api/events', { token: first });
    expect([over.status, over.body.code, over.headers.has('retry-after')]).toEqual([429, 'too_many_requests', true]);
    await Promise.all([listen(second), listen(second)]);
    expect((await ask(stage.url, '/api/events', { token: second })).status).toBe(429);
    mine[0]!.close();
    await until(async () => {
      const again = await listen(first);
      if (again.status !== 200) again.close();
      return again.status === 200;
    });
  });
});

it('stopping ends live streams, lets what is in flight finish, and takes at most 5 s', async () => {
  const stream = await listen(stage.auth.begin('user'));
  await until(() => count(stream.text, 'cart') === 1);
  stage.services.cart.hangMs = 500;
  const token = stage.auth.begin('guest');
  const inFlight = ask(stage.url, '/api/cart/lines', {
    method: 'POST',
    token,
    body: { commandId: '01890a5d-ac96-774b-bcce-b302099a8057', productId: 'scarf', quantity: 1 },
  });
  await until(() => stage.services.seen.some((call) => call.method === 'addItem'));
  const [crowd, startedMs] = [watchCrowd(), performance.now()];
  await stage.gateway.stop();
  expect(performance.now() - startedMs).toBeLessThan(500 + crowd.roomMs(4_500));
  expect((await inFlight).status).toBe(202);
  await until(() => stream.ended);
  await expect(fetch(`${stage.url}/healthz`)).rejects.toThrow();
});
