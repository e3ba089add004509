import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmbeddedEventLog, lookAtLog, openEventLog } from '@cloakroom/event-log';
import { openAdmin, systemClock } from '@cloakroom/platform';
import { ask, configOf, openStage, silent, type Stage } from '../testing/gateway.fixture.ts';
import { start } from '../start.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('/readyz', () => {
  it('tells provider, log and lease', async () => {
    const stage: Stage = await openStage({ PROVIDER: 'embedded', AUTH_ADMIN_URL: 'http://127.0.0.1:1,http://127.0.0.1:2' });
    closers.push(() => stage.stop());
    const { status, body } = await ask(stage.url, '/readyz');
    expect(status).toBe(200);
    expect(body.parts).toMatchObject({
      gateway: { ok: true, provider: 'embedded', replica: 'test' },
      feed: { ok: true, leased: true },
      keys: { ok: true },
      eventLog: { kind: 'embedded', clusterId: expect.any(String) },
      auth: { ok: true, ready: false, reason: 'no answer' },
      'auth-2': { ok: true, ready: false, reason: 'no answer' },
    });
  });

  it('repeats what a part says of itself while the log that the part asks about hangs', async () => {
    const part = await openAdmin({
      host: '127.0.0.1',
      port: 0,
      ready: async () => ({ eventLog: { ok: true, ...(await lookAtLog({ describe: () => new Promise(() => undefined) }, 'kafka')) } }),
      log: silent,
    });
    const stage = await openStage({ AUTH_ADMIN_URL: `http://127.0.0.1:${part.port}` });
    closers.push(
      () => part.close(),
      () => stage.stop(),
    );
    const { status, body } = await ask(stage.url, '/readyz');
    expect([status, body.degraded]).toEqual([200, ['auth: eventLog: the event log does not answer']]);
    expect(body.parts.auth.ready).toBe(true);
  });

  it('says that the feed is silent within 10 s, and stays ready: another replica hears no more', async () => {
    const stage = await openStage();
    closers.push(() => stage.stop());
    expect((await ask(stage.url, '/readyz')).body.degraded).toEqual([]);
    stage.relay.stopBeating();
    await vi.waitFor(
      async () => {
        const { status, body } = await ask(stage.url, '/readyz');
        expect([status, body.ready]).toEqual([200, true]);
        expect(body.degraded).toEqual([expect.stringMatching(/^feed: no lease for [5-9] s/)]);
      },
      { timeout: 10_000, interval: 200 },
    );
    stage.relay.startBeating();
    await vi.waitFor(async () => expect((await ask(stage.url, '/readyz')).body.degraded).toEqual([]), { timeout: 5_000 });
  });

  it('says yes though the log was away when the gateway started, and that it is away', async () => {
    let addresses: Record<string, string> = {};
    const stage = await openStage((given) => {
      addresses = given;
      return Promise.resolve({});
    });
    const eventLog = await openEventLog({ kind: 'embedded', log: silent, clock: systemClock });
    vi.spyOn(eventLog, 'ensureTopics').mockRejectedValue(new Error('no broker'));
    vi.spyOn(eventLog, 'describe').mockRejectedValue(new Error('no broker'));
    const gateway = await start(configOf(addresses), { log: silent, clock: systemClock, eventLog });
    closers.push(
      () => gateway.stop(),
      () => stage.stop(),
      () => eventLog.close(),
    );
    await vi.waitFor(async () => expect((await ask(gateway.url, '/readyz')).status).toBe(200), { timeout: 5_000 });
    const { body } = await ask(gateway.url, '/readyz');
    expect(body.degraded).toContain('eventLog: the event log does not answer');
    expect((await ask(gateway.url, '/api/products')).status).toBe(200);
  });

  it('is not for the public: what a proxy passes on finds neither it nor the metrics', async () => {
    const stage = await openStage();
    closers.push(() => stage.stop());
    for (const path of ['/readyz', '/metrics'])
      for (const header of ['x-forwarded-for', 'forwarded']) {
        const asked = await fetch(`${stage.url}${path}`, { headers: { [header]: 'for=203.0.113.7' } });
        expect([path, header, asked.status]).toEqual([path, header, 404]);
      }
    expect((await ask(stage.url, '/metrics')).status).toBe(200);
  });

  it('costs the stores next to nothing under a flood', async () => {
    const describe_ = vi.spyOn(EmbeddedEventLog.prototype, 'describe');
    const stage = await openStage({ RATE_LIMIT_PER_10S: '100000' });
    closers.push(() => stage.stop());
    describe_.mockClear();
    const startedMs = performance.now();
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, () => ask(stage.url, '/readyz')));
    const seconds = Math.ceil((performance.now() - startedMs) / 1_000) + 1;
    expect(describe_.mock.calls.length).toBeLessThanOrEqual(10 * seconds);
    expect(describe_.mock.calls.length).toBeLessThan(500);
    describe_.mockRestore();
  });

  it('says no until the keys are known, while the process lives and answers', async () => {
    const eventLog = await openEventLog({ kind: 'embedded', log: silent, clock: systemClock });
    const nowhere = {
      AUTH_ADDRESS: 'localhost:1',
      CART_ADDRESS: 'localhost:1',
      PROFILE_ADDRESS: 'localhost:1',
      CATALOG_ADDRESS: 'localhost:1',
      ORDERS_ADDRESS: 'localhost:1',
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
