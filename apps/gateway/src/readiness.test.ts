import { afterEach, describe, expect, it } from 'vitest';
import { type EventLog, openEventLog, systemClock, type RevocationFeed } from '@cloakroom/platform';
import { openLateFeed } from './late-feed.ts';
import { ask, configOf, openStage, silent, type Stage, until } from './gateway.fixture.ts';
import { start } from './start.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('/readyz', () => {
  it('tells provider, log and lease', async () => {
    const stage: Stage = await openStage({ PROVIDER: 'embedded', AUTH_ADMIN_URL: 'http://127.0.0.1:1' });
    closers.push(() => stage.stop());
    const { status, body } = await ask(stage.url, '/readyz');
    expect(status).toBe(200);
    expect(body.parts).toMatchObject({
      gateway: { ok: true, provider: 'embedded', replica: 'test' },
      feed: { ok: true, leased: true },
      keys: { ok: true },
      eventLog: { kind: 'embedded', clusterId: expect.any(String) },
      auth: { ok: true, ready: false, reason: 'no answer' },
    });
  });

  it('says no until the keys are known, while the process lives and answers', async () => {
    const eventLog = await openEventLog({ kind: 'embedded', log: silent, clock: systemClock });
    const nowhere = {
      AUTH_ADDRESS: 'localhost:1',
      CART_ADDRESS: 'localhost:1',
      PROFILE_ADDRESS: 'localhost:1',
      CATALOG_ADDRESS: 'localhost:1',
    };
    const gateway = await start(configOf(nowhere), { log: silent, clock: systemClock, eventLog });
    closers.push(
      () => gateway.stop(),
      () => eventLog.close(),
    );
    const told = await ask(gateway.url, '/readyz');
    expect([told.status, told.body.ready, told.body.parts.keys.ok]).toEqual([503, false, false]);
    expect((await ask(gateway.url, '/healthz')).status).toBe(200);
    const products = await ask(gateway.url, '/api/products');
    expect([products.status, products.body.code]).toEqual([503, 'unavailable']);
    expect((await ask(gateway.url, '/.well-known/jwks.json')).body.code).toBe('unavailable');
  });
});

describe('a feed whose log is away at the start', () => {
  it('trusts nothing until it is open, and then passes on what it hears', async () => {
    let away = true;
    const told: string[] = [];
    const listeners = new Set<(what: { kind: 'distrust' }) => void>();
    const feed = {
      leaseValid: () => true,
      leaseAgeMs: () => 5,
      isRevoked: () => true,
      isTokenRevoked: () => true,
      onRevocation: (listener: (what: { kind: 'distrust' }) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      ready: Promise.resolve(),
      stop: () => Promise.resolve(),
    } as unknown as RevocationFeed;
    const eventLog = { ensureTopics: () => (away ? Promise.reject(new Error('no broker')) : Promise.resolve()) } as unknown as EventLog;
    const late = openLateFeed(eventLog, () => Promise.resolve(feed), silent);
    closers.push(() => late.stop());
    late.onRevocation(({ kind }) => told.push(kind));
    expect([late.leaseValid(), late.leaseAgeMs()]).toEqual([false, Number.POSITIVE_INFINITY]);
    away = false;
    await until(() => late.leaseValid());
    for (const listener of listeners) listener({ kind: 'distrust' });
    expect([told, late.isTokenRevoked('t')]).toEqual([['distrust'], true]);
    await late.ready;
  });
});
