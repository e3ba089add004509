/** A watched call tells the Observatory who called, what was shown, and which check refused it. Neither a signature nor a token is in it. */
import { createHmac } from 'node:crypto';
import { Client, ChannelCredentials, Metadata } from '@grpc/grpc-js';
import { CartService, checkWords, observed } from '@cloakroom/contracts';
import { connectMesh, guardMesh, type MeshTls, serveMesh } from '@cloakroom/mesh';
import { actAs } from '@cloakroom/platform';
import { type SpanWatch, watchSpans } from '@cloakroom/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAdmission } from '../admission.ts';
import { signAccessToken } from '../access-token.ts';
import { signJws } from '../jws.ts';
import { createPassportVerifier } from '../passport.ts';
import {
  certificates,
  claims,
  emptyFeed,
  movableClock,
  newSigner,
  outgoing,
  passportOf,
  rawCall,
  silent,
  tellingHandlers,
} from './mesh.fixture.ts';

const signer = newSigner();
const clock = movableClock();
const feed = emptyFeed();
const tlsOf = await certificates(['gateway', 'cart', 'catalog']);
const method = 'cloakroom.cart.v1.CartService/GetCart';

let watch: SpanWatch;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  watch = await watchSpans();
  closing.push(() => watch.stop());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(tls?: MeshTls): Promise<number> {
  // As in embedded, where one process holds all apps.
  return actAs({ app: 'cart', replica: '2' }, () => serveCart(tls));
}

async function serveCart(tls?: MeshTls): Promise<number> {
  const verifier = createPassportVerifier({ audience: 'cart', keys: signer.ring, feed, clock, accessTokens: true });
  const server = await serveMesh({
    name: 'cart',
    port: 0,
    tls,
    services: [tellingHandlers(CartService, [])],
    admission: openAdmission(verifier, clock),
    clock,
    log: silent,
  });
  closing.push(() => server.stop());
  return server.port;
}

/** @param caller the name in the certificate; undefined: no certificate and no secret */
async function cart(caller?: string) {
  const tls = caller === undefined ? undefined : await tlsOf(caller);
  const port = await serve(caller === undefined ? undefined : await tlsOf('cart'));
  const connection = connectMesh(CartService, { address: `localhost:${port}`, tls, log: silent });
  closing.push(() => connection.close());
  return connection.client;
}

const spanOf = (kind: 'server' | 'client') => watch.spans.findLast((span) => span.name === method && span.kind === kind)!;
const told = (name: string): unknown => spanOf('server').attributes[name];
const nowMs = (): number => clock.nowMs();

describe('a watched call', () => {
  it('tells the caller by its certificate, the passport without its signature, the policy, and the time that was left', async () => {
    const passport = passportOf(signer, 'cart', 'user', nowMs());
    const client = await cart('gateway');
    // The first call shakes hands, which takes as long as it takes.
    await client.getCart(outgoing({ passport }), {});
    const budgetMs = 900;
    expect(await client.getCart(outgoing({ passport, budgetMs, experiment: 'trainee-1' }), {})).not.toHaveProperty('problem');
    const server = spanOf('server').attributes;
    expect(server).toMatchObject({
      [observed.app]: 'cart',
      [observed.replica]: '2',
      [observed.caller]: 'gateway',
      [observed.callerProof]: 'certificate',
      [observed.credential]: 'passport',
      [observed.subject]: 'u_1',
      [observed.session]: 'handle-1',
      [observed.experiment]: 'trainee-1',
    });
    expect(JSON.parse(server[observed.claims] as string)).toMatchObject({ sub: 'u_1', aud: 'cart', amr: ['pwd'], sid: 'handle-1' });
    expect(JSON.parse(server[observed.credentialHeader] as string)).toEqual({ alg: 'ES256', typ: 'passport+jwt', kid: 'k1' });
    expect(server[observed.credentialAgeMs]).toBeLessThan(5_000);
    expect(server[observed.policy]).toMatch(/^identity GUEST, audience cart, class CART, callers .*gateway.*, budget \d+ ms$/);
    expect(server[observed.budgetLeftMs]).toBeLessThanOrEqual(budgetMs);
    expect(server[observed.budgetLeftMs]).toBeGreaterThan(0);
    expect(spanOf('client').attributes).toMatchObject({ [observed.credential]: 'passport', [observed.budgetLeftMs]: budgetMs });
    const all = JSON.stringify(watch.spans);
    expect(all).not.toContain(passport.split('.')[2]);
    expect(all).not.toContain(passport.split('.')[1]);
  });

  it('tells the services that acted for the person, first to last', async () => {
    const act = { sub: 'orders', act: { sub: 'gateway' } };
    const passport = passportOf(signer, 'cart', 'user', nowMs(), { act, scope: method });
    await (await cart()).getCart(outgoing({ passport }), {});
    expect(told(observed.actors)).toBe('gateway > orders');
  });

  it('shows of an access token neither the name nor the e-mail', async () => {
    const s = nowMs() / 1_000;
    const accessToken = signAccessToken(
      {
        iss: 'cloakroom-auth',
        aud: 'cloakroom-shop',
        client_id: 'cloakroom-web',
        jti: 't-1',
        sub: 'u_1',
        sid: 'handle-1',
        gen: 0,
        epoch: 1,
        gepoch: 0,
        state: 'user',
        mode: 'jwt',
        acr: '1',
        amr: ['pwd'],
        auth_time: s,
        region: 'local',
        iat: s,
        exp: s + 60,
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        created: s,
        idle_exp: s + 60,
        abs_exp: s + 60,
        cart: '',
      },
      signer,
    );
    await (await cart()).getCart(outgoing({ accessToken }), {});
    expect(spanOf('server').attributes).toMatchObject({ [observed.credential]: 'access token', [observed.mode]: 'jwt' });
    expect(JSON.parse(told(observed.claims) as string)).toMatchObject({ sub: 'u_1', mode: 'jwt' });
    expect(JSON.stringify(watch.spans)).not.toMatch(/Ada|ada@|Lovelace/);
    expect(JSON.stringify(watch.spans)).not.toContain(accessToken.split('.')[2]);
  });

  it('says by what a caller without a certificate was known', async () => {
    closing.push(guardMesh('of this start'));
    await (await cart()).getCart(outgoing({ passport: passportOf(signer, 'cart', 'user', nowMs()) }), {});
    expect([told(observed.caller), told(observed.callerProof)]).toEqual([undefined, 'secret of this start']);
    const stranger = new Client(`localhost:${await serve()}`, ChannelCredentials.createInsecure());
    closing.push(() => stranger.close());
    expect(await rawCall(stranger, CartService.method.getCart, new Metadata())).toBe('forbidden');
    expect([told(observed.callerProof), told(observed.refusal)]).toEqual(['nothing', `forbidden: ${checkWords['no_secret']} (no_secret)`]);
  });
});

describe('a refused call', () => {
  const user = (changes: Parameters<typeof claims>[3] = {}): string => passportOf(signer, 'cart', 'user', nowMs(), changes);
  const [head, body, signature] = user().split('.') as [string, string, string];
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forgeries: readonly (readonly [string, () => string])[] = [
    ['wrong_audience', () => passportOf(signer, 'profile', 'user', nowMs())],
    ['expired', () => passportOf(signer, 'cart', 'user', nowMs() - 120_000)],
    ['bad_signature', () => `${head}.${encoded({ ...claims('cart', 'user', nowMs()), sub: 'u_2' })}.${signature}`],
    ['wrong_algorithm', () => `${encoded({ alg: 'none', typ: 'passport+jwt', kid: 'k1' })}.${body}.${signature}`],
    ['unknown_key', () => passportOf(newSigner('k2'), 'cart', 'user', nowMs())],
    ['bad_signature', () => passportOf(newSigner('k1'), 'cart', 'user', nowMs())],
    ['wrong_type', () => signJws(signer, 'at+jwt', Buffer.from(JSON.stringify(claims('cart', 'user', nowMs()))))],
    [
      'wrong_algorithm',
      () => {
        const signed = `${encoded({ alg: 'HS256', typ: 'passport+jwt', kid: 'k1' })}.${body}`;
        return `${signed}.${createHmac('sha256', 'k').update(signed).digest('base64url')}`;
      },
    ],
  ];

  it.each(forgeries)('names the check that found it: %s', async (check, forge) => {
    const passport = forge();
    await (await cart()).getCart(outgoing({ passport }), {});
    expect(told(observed.refusal)).toBe(`invalid_passport: ${checkWords[check]} (${check})`);
    expect(told(observed.claims), 'what was shown stands beside it').toBeDefined();
    expect(told(observed.subject), 'nobody is believed').toBeUndefined();
    expect(JSON.stringify(watch.spans)).not.toContain(passport.split('.')[2]);
  });

  it('names the policy, a revocation, and a missing person too', async () => {
    const client = await cart('catalog');
    await client.getCart(outgoing({ passport: user() }), {});
    expect(told(observed.refusal)).toBe(`forbidden: ${checkWords['caller']} (caller)`);
    const open = await cart();
    await open.getCart(outgoing(), {});
    expect(told(observed.refusal)).toBe(`session_required: ${checkWords['no_person']} (no_person)`);
    feed.revoke('handle-2');
    await open.getCart(outgoing({ passport: user({ sid: 'handle-2' }) }), {});
    expect(told(observed.refusal)).toBe(`session_ended: ${checkWords['revoked']} (revoked)`);
  });

  it('shows no e-mail, token or key that a forger hid in a claim', async () => {
    const secret = 'A'.repeat(43);
    const hidden = {
      ...claims('cart', 'user', nowMs()),
      sub: 'ada@example.com',
      sid: `v1.local.tag.${secret}.${secret}`,
      region: { sub: secret },
      other: 'x',
    };
    await (await cart()).getCart(outgoing({ passport: `${head}.${encoded(hidden)}.${signature}` }), {});
    expect(JSON.parse(told(observed.claims) as string)).toMatchObject({
      sub: '(not shown)',
      sid: '(not shown)',
      region: { sub: '(not shown)' },
    });
    expect(JSON.stringify(watch.spans)).not.toMatch(/example|AAAA/);
  });
});
