/** Forgeries against services with the real admission, in this process. The page of a running shop shows the same: e2e/observatory. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { create, type DescService } from '@bufbuild/protobuf';
import {
  AuthService,
  CartSchema,
  CartService,
  checkWords,
  ProfileSchema,
  ProfileService,
  ResolveResponseSchema,
} from '@cloakroom/contracts';
import { createPassportVerifier, type KeyRing, openAdmission, passportIssuer, signPassport } from '@cloakroom/identity';
import { developerSecret, guardMesh, implement, type Implementation, type Rpcs, serveMesh } from '@cloakroom/mesh';
import { armFaults, createLogger } from '@cloakroom/platform';
import { type SpanWatch, watchSpans } from '@cloakroom/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoredSpan } from '../span.ts';
import { forgeries } from './forgeries.ts';
import { type Forger, openForger } from './forger.ts';

const log = createLogger('test', 'silent');
const secretOfStart = 'of this start';
const session = 'token-of-the-forger';

/** The services' clock and the forger's, so that a minute can pass. */
const clock = { aheadMs: 0, nowMs: () => Date.now() + clock.aheadMs, monotonicMs: () => performance.now() };
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys: KeyRing = { find: (kid) => (kid === 'k1' ? publicKey : undefined), refresh: () => Promise.resolve(), retire: () => undefined };

const passportFor = (audience: string): string => {
  const nowS = clock.nowMs() / 1_000;
  const person = { sub: 'u_forger', sid: 'handle', epoch: 1, gepoch: 0, state: 'user', acr: '1', amr: ['pwd'] } as const;
  const times = { auth_time: nowS, iat: nowS, exp: nowS + 60 };
  const passport = signPassport(
    { iss: passportIssuer, aud: audience, ...person, txn: 't', region: 'local', ...times },
    { kid: 'k1', privateKey },
  );
  issued.push(passport);
  return passport;
};

/** All other rpcs are there, since a service without one does not start, and none is meant. */
function only(service: DescService, handlers: Readonly<Record<string, (ctx: unknown, request: never) => Promise<object>>>): Implementation {
  const others = service.methods.map(({ localName, methodKind }) => {
    const unmeant = () => Promise.reject(new Error(`${localName} is not meant`));
    return [localName, methodKind === 'unary' ? unmeant : async function* () {}];
  });
  return implement(service, { ...Object.fromEntries(others), ...handlers } as Rpcs<DescService>);
}

const closing: (() => unknown)[] = [];
let watch: SpanWatch;
let reached: string[];
let registered: unknown[];
let known: Set<string>;
let issued: string[];
beforeEach(async () => {
  clock.aheadMs = 0;
  [reached, registered, known, issued] = [[], [], new Set(), []];
  watch = await watchSpans('cloakroom');
  closing.push(guardMesh(secretOfStart), () => watch.stop());
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function serve(name: string, services: readonly Implementation[]): Promise<string> {
  const admission = openAdmission(createPassportVerifier({ audience: name, keys, clock }), clock, { developers: true });
  const server = await serveMesh({ name, port: 0, tls: undefined, services, admission, clock, log });
  closing.push(() => server.stop());
  return `localhost:${server.port}`;
}

/** The public API, as far as the forger uses it. */
async function serveGateway(status = 201): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      registered.push([request.method, request.url, JSON.parse(body)]);
      known.add(session);
      const cookie = { 'set-cookie': [`__Host-session=${session}; Path=/; Secure`] };
      response.writeHead(status, { 'content-type': 'application/json', ...(status === 201 && cookie) });
      response.end(JSON.stringify(status === 201 ? {} : { code: 'too_many_requests' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Stage {
  readonly secret?: string;
  readonly registration?: number;
  readonly audience?: string;
}

async function openStage({
  secret = developerSecret(secretOfStart),
  registration = 201,
  audience = 'profile',
}: Stage = {}): Promise<Forger> {
  const addresses = {
    auth: await serve('auth', [
      only(AuthService, {
        resolve: (_ctx: unknown, request: { token: string; audience: string }) =>
          Promise.resolve(create(ResolveResponseSchema, known.has(request.token) ? { passport: passportFor(request.audience) } : {})),
      }),
    ]),
    cart: await serve('cart', [only(CartService, { getCart: () => (reached.push('cart'), Promise.resolve(create(CartSchema))) })]),
    profile: await serve(audience, [
      only(ProfileService, { getProfile: () => (reached.push('profile'), Promise.resolve(create(ProfileSchema))) }),
    ]),
  };
  const gateway = await serveGateway(registration);
  const spansOf = (traceId: string) => watch.spans.filter((span) => span.traceId === traceId) as unknown as StoredSpan[];
  const shop = { gateway, addresses, proof: () => Promise.resolve({ tls: undefined, secret }) };
  return openForger({ shop: () => shop, spans: { spansOf }, clock, log });
}

/** On a starved machine a call runs out of time, and then nothing was tried. */
const judged = (forger: Forger, name: string) =>
  vi.waitFor(
    async () => {
      reached.length = 0;
      const result = (await forger.play(name))!;
      expect(result.note ?? '').not.toContain('deadline_exceeded');
      return result;
    },
    { timeout: 50_000 },
  );

describe('each forgery', () => {
  it.each(forgeries.map(({ name, check, target }) => [name, target, check] as const))(
    '%s is refused by %s, which names the check %s',
    async (name, target, check) => {
      const forger = await openStage();
      if (name === 'expired') {
        await judged(forger, 'replayed');
        clock.aheadMs = 61_000;
      }
      const result = await judged(forger, name);
      expect(result).toMatchObject({ name, outcome: 'refused', note: undefined });
      expect(result.check).toContain(checkWords[check]);
      expect(result.check).toContain(`(${check})`);
      expect(reached, 'the genuine passport was accepted before, the forged one was not').toEqual([target]);
      expect(existsSync(join(import.meta.dirname, '../../../..', result.file))).toBe(true);
      expect(watch.spans.some(({ traceId, kind }) => traceId === result.traceId && kind === 'server')).toBe(true);
    },
  );

  it('says what was changed, and never tells a signature or a token', async () => {
    const forger = await openStage();
    const results: unknown[] = [];
    for (const { name } of forgeries) {
      const result = (await forger.play(name))!;
      results.push(result);
      if (result.sent === undefined) continue;
      const claimed = { ...result.sent.claims };
      if (name === 'another-audience') expect(claimed['aud']).toBe('profile');
      if (name === 'another-subject') expect(claimed['sub']).not.toBe(result.genuine?.['sub']);
    }
    expect(issued.length).toBeGreaterThan(forgeries.length);
    const told = JSON.stringify([results, watch.spans]);
    for (const passport of issued) expect(told).not.toContain(passport.split('.')[2]);
    expect(told).not.toContain(session);
  });
});

describe('the forger', () => {
  it('waits for a passport’s end, and says for how long', async () => {
    const result = await judged(await openStage(), 'expired');
    expect(result.outcome).toBe('later');
    expect(result.laterMs).toBeGreaterThan(50_000);
    expect(result.laterMs).toBeLessThanOrEqual(60_250);
    expect(reached).toEqual([]);
  });

  it('has one account of its own, and makes another only when its session is over', async () => {
    const forger = await openStage();
    await Promise.all(forgeries.map(({ name }) => forger.play(name)));
    expect(registered).toHaveLength(1);
    expect(registered[0]).toEqual([
      'POST',
      '/api/session/register',
      { email: expect.stringMatching(/^forger-\w+@example\.com$/), password: expect.any(String), name: 'A forger' },
    ]);
    known.clear();
    await forger.play('own-key');
    expect(registered).toHaveLength(2);
  });

  it('plays nothing that is not on the list, and nothing that a page made up', async () => {
    const forger = await openStage();
    for (const name of ['', 'toString', '__proto__', '../cart', 'another-subject ']) expect(await forger.play(name)).toBeUndefined();
    expect(registered).toEqual([]);
    expect(forger.list.map(({ name }) => name)).toEqual(forgeries.map(({ name }) => name));
  });

  it('claims no refusal where the genuine passport is refused too', async () => {
    const result = await judged(await openStage({ audience: 'orders' }), 'replayed');
    expect(result.outcome).toBe('untried');
    expect(result.note).toContain('profile refuses the genuine passport too: invalid_passport');
  });

  it('claims no refusal where the service is away when the forged passport comes', async () => {
    const forger = await openStage();
    const trouble = { delayMs: 0, fails: true, losesAnswer: false, oldMs: 0, holds: false };
    let reads = 0;
    // The first read shows the genuine passport.
    armFaults((point, at) => Promise.resolve(point === 'rpc' && at.endsWith('/GetProfile') && ++reads === 2 ? trouble : undefined));
    closing.push(() => armFaults(undefined));
    const result = (await forger.play('replayed'))!;
    expect(result.outcome).toBe('untried');
    expect(result.note).toBe('profile did not judge the passport: unavailable.');
  });

  it('says why it could not try: no account, or a shop that admits no developer', async () => {
    expect((await (await openStage({ registration: 429 })).play('own-key'))?.note).toBe(
      'The shop gave the forger no account: too_many_requests.',
    );
    expect((await (await openStage({ secret: 'of another start' })).play('own-key'))?.note).toBe(
      'auth gave the forger no passport: forbidden.',
    );
  });
});
