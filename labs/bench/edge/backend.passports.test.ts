import { generateKeyPairSync } from 'node:crypto';
import { signPassport } from '@cloakroom/identity';
import { writeCallMetadata } from '@cloakroom/mesh';
import { systemClock } from '@cloakroom/platform';
import { Metadata, status, type handleUnaryCall } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { cartVerifier, verifying } from './backend.passports.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let looked = 0;
const keys = {
  find: () => {
    looked += 1;
    return publicKey;
  },
  refresh: () => Promise.resolve(),
  retire: () => undefined,
};
const getCart = verifying<object, string>(cartVerifier(keys), (_call, done) => done(null, 'a cart'));

const call = (metadata: Metadata) =>
  new Promise((resolve) => {
    const done: Parameters<handleUnaryCall<object, string>>[1] = (error, answer) =>
      resolve((error as { code?: number } | null)?.code ?? answer);
    getCart({ metadata } as Parameters<typeof getCart>[0], done);
  });

function passportFor(aud: string, txn: string): Metadata {
  const iat = systemClock.nowMs() / 1000;
  const who = { sub: 'g_1', sid: 'handle', epoch: 1, gepoch: 0, state: 'guest', acr: '0', amr: [], auth_time: 0, region: 'local' } as const;
  return writeCallMetadata({
    passport: signPassport({ iss: 'cloakroom-auth', aud, ...who, txn, iat, exp: iat + 60 }, { kid: 'k1', privateKey }),
  });
}

it('the backend verifies each new passport before it answers, as the real cart does', async () => {
  const [first, second] = [passportFor('cart', 'one'), passportFor('cart', 'two')];
  expect(await call(first)).toBe('a cart');
  const afterOne = looked;
  expect(await call(second)).toBe('a cart');
  expect(looked).toBeGreaterThan(afterOne + 1);
});

it.each([
  ['a passport for another service', passportFor('profile', 'three')],
  ['a forged passport', writeCallMetadata({ passport: 'not.a.passport' })],
  ['a forged access token', writeCallMetadata({ accessToken: 'not.a.token' })],
])('refuses %s, so that a benchmark of such fails', async (_what, metadata) => {
  expect(await call(metadata)).toBe(status.UNAUTHENTICATED);
});

it('the backend answers calls that name no person: the floor and the peers', async () => {
  expect(await call(new Metadata())).toBe('a cart');
});
