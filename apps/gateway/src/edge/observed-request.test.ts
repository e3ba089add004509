/** A watched gateway tells the Observatory the policy of each request, whose it was, and by what that person was believed. */
import { observed } from '@cloakroom/contracts';
import { type SpanWatch, watchSpans } from '@cloakroom/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStage, type Stage, tokenIn, until } from '../testing/gateway.fixture.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const firefox = { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' };

let stage: Stage;
let watch: SpanWatch;
beforeEach(async () => {
  watch = await watchSpans();
  stage = await openStage({ PROVIDER: 'embedded' });
});
afterEach(async () => {
  await stage.stop();
  watch.stop();
});

const attributesOf = (name: string) => watch.named(name)!.attributes;
const claimsOf = (name: string): object => JSON.parse(attributesOf(name)[observed.claims] as string) as object;

describe('a watched request', () => {
  it('tells its policy, its budget, its device, and the person that the guard found', async () => {
    const token = stage.auth.begin('user');
    const { view } = stage.auth.sessionOf(token);
    const headers = { ...firefox, 'x-experiment-id': 'trainee-1' };
    expect((await ask(stage.url, '/api/cart', { token, headers })).status).toBe(200);
    await until(() => watch.named('GET /api/cart') !== undefined);
    expect(attributesOf('GET /api/cart')).toMatchObject({
      [observed.policy]: expect.stringMatching(/^identity \S+, audience cart, class cart, budget \d+ ms$/) as string,
      [observed.operationClass]: 'cart',
      [observed.device]: 'Firefox on Linux',
      [observed.experiment]: 'trainee-1',
      [observed.subject]: view.subject,
      [observed.cartId]: view.subject,
      [observed.session]: view.handle,
      [observed.mode]: 'hybrid',
    });
    expect(attributesOf('GET /api/cart')[observed.budgetLeftMs]).toBe(attributesOf('GET /api/cart')[observed.budgetMs]);
    expect(attributesOf('GET /api/cart')).not.toHaveProperty([observed.refusal]);
  });

  it('tells of the identity: the session token asked or hit, the lease, and the passport that came of it', async () => {
    const token = stage.auth.begin('user');
    for (const decision of ['hybrid asked', 'hybrid hit']) {
      await ask(stage.url, '/api/cart', { token });
      const identity = attributesOf('identity');
      expect(identity).toMatchObject({
        'cloakroom.identity.decision': decision,
        [observed.credential]: 'session token',
        [observed.mode]: 'hybrid',
        [observed.session]: stage.auth.sessionOf(token).view.handle,
      });
      expect(identity[observed.leaseAgeMs]).toBeLessThan(2_000);
      expect(claimsOf('identity')).toMatchObject({ aud: 'cart', sub: stage.auth.sessionOf(token).view.subject });
    }
    expect(JSON.stringify(watch.spans)).not.toContain(token);
    expect(JSON.stringify(watch.spans), 'a passport has three parts, and its first begins so').not.toMatch(/eyJ[\w-]+\./);
    expect(JSON.stringify(watch.spans)).not.toMatch(/@|example\.com|127\.0\.0\.1/);
  });

  it('tells the session that a sign-in began, though the browser brought another', async () => {
    const signIn = await ask(stage.url, '/api/session/login', {
      method: 'POST',
      token: stage.auth.begin('guest'),
      body: { email: 'ada@example.com', password: 'right' },
    });
    await until(() => watch.named('POST /api/session/login') !== undefined);
    const { view } = stage.auth.sessionOf(tokenIn(signIn)!);
    expect(attributesOf('POST /api/session/login')).toMatchObject({ [observed.session]: view.handle, [observed.subject]: view.subject });
  });

  it('tells why it was refused, wherever that was found', async () => {
    const token = stage.auth.begin('user');
    await stage.end(token);
    const refusals = [
      ['GET /api/cart', { token }, 'session_ended'],
      ['POST /api/session/logout', { token, headers: { origin: 'https://evil.example' } }, 'cross_site_request'],
      ['POST /api/cart/lines', { token: stage.auth.begin('guest'), body: {} }, 'invalid_request'],
    ] as const;
    for (const [name, request, code] of refusals) {
      const [method, path] = name.split(' ') as [string, string];
      await ask(stage.url, path, { method, ...request });
      await until(() => watch.named(name) !== undefined);
      expect(attributesOf(name)[observed.refusal]).toBe(code);
    }
  });

  it('tells of a live event which device hears it, and whose that is', async () => {
    const token = stage.auth.begin('user');
    const { view } = stage.auth.sessionOf(token);
    const abort = new AbortController();
    await fetch(`${stage.url}/api/events`, { headers: { cookie: `__Host-session=${token}`, ...firefox }, signal: abort.signal });
    await until(() => stage.services.cart.watchers === 1);
    stage.services.cart.cause = traceparent;
    stage.services.cart.changed();
    await until(() => watch.named('live event cart') !== undefined);
    abort.abort();
    expect(attributesOf('live event cart')).toMatchObject({
      [observed.session]: view.handle,
      [observed.subject]: view.subject,
      [observed.device]: 'Firefox on Linux',
    });
    expect(watch.named('live event cart')!.parentId).toBe(traceparent.split('-')[2]);
  });
});
