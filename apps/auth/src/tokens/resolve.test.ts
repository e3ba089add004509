import { createPassportVerifier } from '@cloakroom/identity';
import { limits } from '@cloakroom/session';
import { expect, it } from 'vitest';
import { create } from '@bufbuild/protobuf';
import { ResolveRequestSchema } from '@cloakroom/contracts';
import { contextOf, guest, type Harness, look, ok, openHarness, signUp } from '../auth.harness.ts';
import { raiseEpoch, raiseGlobalEpoch } from '../revocation/epochs.ts';
import { resolve } from './resolve.ts';

const verifier = ({ auth, clock }: Harness, audience: string) =>
  createPassportVerifier({
    audience,
    keys: { find: (kid) => auth.keys.find(kid), refresh: () => Promise.resolve(), retire: () => undefined },
    clock,
  });

it('issues a passport for exactly the audience asked for, for at most 60 s', async () => {
  const harness = await openHarness();
  const { token, session } = ok(await signUp(harness, 'ada@example.com'));
  const { passport, passportExpiresAtMs } = await look(harness, token!, 'cart');
  expect(await verifier(harness, 'cart').verify(passport!)).toMatchObject({
    subject: session!.subject,
    handle: session!.handle,
    state: 'user',
    issuedAtMs: harness.clock.nowMs(),
    expiresAtMs: harness.clock.nowMs() + 60_000,
    authenticatedAtMs: harness.clock.nowMs(),
  });
  expect(passportExpiresAtMs).toBe(BigInt(harness.clock.nowMs() + 60_000));
  expect(await verifier(harness, 'profile').verify(passport!)).toEqual({ problem: 'invalid_passport' });
});

it('refuses an audience that is no service', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  const request = create(ResolveRequestSchema, { token, audience: 'gateway' });
  expect(await resolve(harness.auth, contextOf(), request)).toMatchObject({ problem: 'invalid_request' });
});

it('issues no passport that outlives the session', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  harness.clock.advance(limits.guest.idleTimeoutMs - 5_000);
  const { passportExpiresAtMs } = await look(harness, token, 'cart');
  expect(passportExpiresAtMs).toBe(BigInt(harness.clock.nowMs() + 5_000));
});

it('dates a passport before the session was looked up', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  const askedAtMs = harness.clock.nowMs();
  const { store } = harness.auth;
  const slow = {
    ...harness,
    auth: {
      ...harness.auth,
      store: new Proxy(store, {
        get: (target, name) =>
          name === 'resolve'
            ? (...args: Parameters<typeof store.resolve>) => {
                harness.clock.advance(700);
                return target.resolve(...args);
              }
            : Reflect.get(target, name),
      }),
    },
  };
  const { passport } = await look(slow, token, 'cart');
  expect(await verifier(harness, 'cart').verify(passport!)).toMatchObject({ issuedAtMs: askedAtMs });
});

it('moves the idle limit only when the person does something', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  const begunMs = harness.clock.nowMs();
  harness.clock.advance(60_000);
  const idle = async (touch: boolean) => Number((await look(harness, token, '', touch)).session?.idleExpiresAtMs);
  expect(await idle(false)).toBe(begunMs + limits.guest.idleTimeoutMs);
  expect(await idle(true)).toBe(begunMs + 60_000 + limits.guest.idleTimeoutMs);
});

it('ends every session of a user by one epoch, and everybody by the global one', async () => {
  const harness = await openHarness();
  const { token, session } = ok(await signUp(harness, 'ada@example.com'));
  const other = await guest(harness);
  harness.clock.advance(1);
  await raiseEpoch(harness.auth, undefined, session!.subject!);
  expect((await look(harness, token!)).session).toBeUndefined();
  expect((await look(harness, other.token)).session).toBeDefined();
  await raiseGlobalEpoch(harness.auth, undefined);
  expect((await look(harness, other.token)).session).toBeUndefined();
  expect((await look(harness, (await guest(harness)).token)).session).toBeDefined();
});
