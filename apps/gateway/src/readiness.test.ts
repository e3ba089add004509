import { afterEach, describe, expect, it } from 'vitest';
import { openEventLog, systemClock } from '@cloakroom/platform';
import { ask, configOf, openStage, silent, type Stage } from './gateway.fixture.ts';
import { start } from './start.ts';

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
