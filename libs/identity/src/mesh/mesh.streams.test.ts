/** A stream stays open without a deadline; these are the ways in which it must still end. */
import { CartService, isProblem, problem, type Problem } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectMesh, type Rpcs, implement, type MeshServer, type RequestContext, serveMesh } from '@cloakroom/mesh';
import { certificates, emptyFeed, movableClock, newSigner, outgoing, passportOf, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const signer = newSigner();
const tlsOf = await certificates(['gateway', 'cart']);
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const unused = () => Promise.resolve(problem('not_found'));
type Watch = Rpcs<typeof CartService>['watch'];

async function watching(watch: Watch) {
  const clock = movableClock();
  const feed = emptyFeed();
  const verifier = createPassportVerifier({ audience: 'cart', keys: signer.ring, feed, clock });
  const changes = {
    addItem: unused,
    setQuantity: unused,
    removeItem: unused,
    clearCart: unused,
    applyCoupon: unused,
    removeCoupon: unused,
  };
  const handlers = { ...changes, getCart: unused, prepareOrder: unused, watch };
  const services = [implement(CartService, handlers)];
  const server: MeshServer = await serveMesh({
    name: 'cart',
    port: 0,
    tls: await tlsOf('cart'),
    services,
    admission: openAdmission(verifier, clock),
    clock,
    log: silent,
  });
  const { client, close } = connectMesh(CartService, { address: `localhost:${server.port}`, tls: await tlsOf('gateway'), log: silent });
  open.push(() => server.stop(), close);
  const watchNow = (changes: { signal?: AbortSignal; sid?: string } = {}) =>
    client.watch(
      outgoing({
        budgetMs: Number.POSITIVE_INFINITY,
        signal: changes.signal,
        passport: passportOf(signer, 'cart', 'guest', clock.nowMs(), { sid: changes.sid ?? 'handle-1' }),
      }),
      {},
    );
  return { clock, feed, server, watchNow };
}

const aborted = (ctx: RequestContext) => new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));

/** Reads until the stream ends. */
async function readAll(stream: AsyncIterable<{ cartId: string } | Problem>): Promise<string[]> {
  const read: string[] = [];
  for await (const message of stream) read.push(isProblem(message) ? `! ${message.problem}` : message.cartId);
  return read;
}

/** A stream that says "open", then waits for its end; `ended` tells what it saw. */
function waitingStream() {
  let tell!: () => void;
  const opened = new Promise<void>((resolve) => (tell = resolve));
  const seen: string[] = [];
  const watch: Watch = async function* (ctx) {
    try {
      yield { cartId: 'open' };
      tell();
      await aborted(ctx);
      seen.push('aborted');
    } finally {
      seen.push('cleaned up');
    }
  };
  return { watch, opened, seen };
}

describe('a stream', () => {
  it('gives its messages in order and ends', async () => {
    const { watchNow } = await watching(async function* () {
      for (let n = 0; n < 100; n += 1) yield await Promise.resolve({ cartId: `c${n}` });
    });
    expect(await readAll(watchNow())).toEqual(Array.from({ length: 100 }, (_, n) => `c${n}`));
  });

  it('ends with the Problem that its handler yields, or with internal where it throws', async () => {
    const { watchNow } = await watching(async function* (ctx) {
      yield { cartId: 'a' };
      if (ctx.identity?.handle === 'throws') throw new Error('secret');
      yield problem('unavailable');
      yield { cartId: 'never' };
    });
    expect(await readAll(watchNow())).toEqual(['a', '! unavailable']);
    expect(await readAll(watchNow({ sid: 'throws' }))).toEqual(['a', '! internal']);
  });

  it('has no deadline', async () => {
    const { watchNow } = await watching(async function* (ctx) {
      yield await Promise.resolve({ cartId: String(ctx.deadline.remainingMs()) });
    });
    expect(await readAll(watchNow())).toEqual(['Infinity']);
  });

  it('is stopped by a reader that leaves, and by a reader that cancels', async () => {
    const { watch, seen, opened } = waitingStream();
    const { watchNow } = await watching(watch);
    for await (const _first of watchNow()) break;
    await vi.waitFor(() => expect(seen).toContain('cleaned up'));
    seen.length = 0;
    const abort = new AbortController();
    const read = readAll(watchNow({ signal: abort.signal }));
    await opened;
    abort.abort();
    expect(await read).toContain('! cancelled');
    await vi.waitFor(() => expect(seen).toContain('cleaned up'));
  });

  it('is closed by a revocation although nothing is sent, and only that session', async () => {
    const { watch, seen } = waitingStream();
    const { watchNow, feed } = await watching(watch);
    const abort = new AbortController();
    const other = readAll(watchNow({ sid: 'other', signal: abort.signal }));
    const read: string[] = [];
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    for await (const message of watchNow()) {
      read.push(isProblem(message) ? `! ${message.problem}` : message.cartId);
      if (read.length === 1) feed.revoke('handle-1');
    }
    expect(read).toEqual(['open', '! session_ended']);
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(500));
    await vi.waitFor(() => expect(seen).toContain('cleaned up'));
    abort.abort();
    expect(await other).toEqual(['open', '! cancelled']);
  });

  it('outlives its passport while the feed is heard, and ends when the feed falls silent', async () => {
    const { watch } = waitingStream();
    const { watchNow, feed, clock } = await watching(watch);
    const read: string[] = [];
    const ended = (async () => {
      for await (const message of watchNow()) read.push(isProblem(message) ? `! ${message.problem}` : message.cartId);
    })();
    await vi.waitFor(() => expect(read).toEqual(['open']));
    const asked = vi.spyOn(feed, 'leaseValid');
    clock.aheadMs = 120_000;
    await vi.waitFor(() => expect(asked).toHaveReturnedWith(true), { timeout: 5_000 });
    expect(read).toEqual(['open']);
    feed.lease = false;
    await ended;
    expect(read).toEqual(['open', '! invalid_passport']);
  });

  it('holds its producer back while nobody reads, and lets it clean up', async () => {
    let produced = 0;
    let cleanedUp = false;
    const { watchNow } = await watching(async function* () {
      try {
        for (; produced < 100_000; produced += 1) yield await Promise.resolve({ cartId: 'x'.repeat(1_000) });
      } finally {
        cleanedUp = true;
      }
    });
    const iterator = watchNow()[Symbol.asyncIterator]();
    await iterator.next();
    let before = -1;
    await vi.waitFor(
      () => {
        const same = produced === before;
        before = produced;
        expect(same).toBe(true);
      },
      { timeout: 5_000, interval: 100 },
    );
    expect(produced).toBeLessThan(2_000);
    await iterator.return?.();
    await vi.waitFor(() => expect(cleanedUp).toBe(true));
  });

  it('does not hold up the stop of its server, even when it ignores the signal', async () => {
    const { watchNow, server } = await watching(async function* () {
      yield { cartId: 'open' };
      await new Promise(() => undefined);
    });
    const read: string[] = [];
    let stopping: Promise<void> | undefined;
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    for await (const message of watchNow()) {
      read.push(isProblem(message) ? `! ${message.problem}` : message.cartId);
      stopping ??= server.stop();
    }
    await stopping;
    expect(read).toEqual(['open', '! unavailable']);
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(1_500));
    open.length = 0;
  });
});
