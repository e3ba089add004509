/** Covers what the test over the mesh cannot produce: chains of actors, times and rotations. */
import { problem } from '@cloakroom/contracts';
import { type PassportClaims, signPassport } from '@cloakroom/identity';
import { expect, it } from 'vitest';
import { contextOf, guest, type Harness, look, ok, openHarness } from '../auth.harness.ts';
import { raiseGlobalEpoch } from '../revocation/epochs.ts';
import { exchangeToken } from './exchange-token.ts';

const ask = ({ auth }: Harness, subjectToken: string, audience = 'cart', caller: string | undefined = 'orders') =>
  exchangeToken(
    auth,
    { ...contextOf(), caller },
    { $typeName: 'cloakroom.auth.v1.ExchangeTokenRequest', subjectToken, audience, scope: [] },
  );

const received = async (harness: Harness) => (await look(harness, (await guest(harness)).token, 'orders')).passport!;
const claimsOf = (jws: string) => JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as PassportClaims;
/** Signs the passport with changed claims, as auth would one exchange later. */
const with_ = (harness: Harness, passport: string, changes: Partial<PassportClaims>) =>
  signPassport({ ...claimsOf(passport), ...changes }, harness.auth.keys.active());

it('puts the caller in front of those who acted before it', async () => {
  const harness = await openHarness();
  const passport = with_(harness, await received(harness), { act: { sub: 'profile' }, scope: 'a.B/C' });
  expect(claimsOf(ok(await ask(harness, passport)).issuedToken!).act).toEqual({ sub: 'orders', act: { sub: 'profile' } });
});

it('lets a chain of actors grow no longer than three, and close no circle', async () => {
  const harness = await openHarness();
  const passport = await received(harness);
  const chain = (...[sub, ...before]: string[]): { sub: string; act?: never } => ({
    sub: sub!,
    ...(before.length > 0 && { act: chain(...before) as never }),
  });
  const acting = (...actors: string[]) => with_(harness, passport, { act: chain(...actors), scope: 'a.B/C' });
  ok(await ask(harness, acting('profile', 'catalog')));
  expect(await ask(harness, acting('profile', 'catalog', 'auth'))).toEqual(problem('forbidden'));
  expect(await ask(harness, acting('profile', 'cart'))).toEqual(problem('forbidden'));
});

it('keeps the end of what was exchanged, and refuses what is past it', async () => {
  const harness = await openHarness();
  const passport = await received(harness);
  harness.clock.advance(50_000);
  const { issuedToken } = ok(await ask(harness, passport));
  expect(claimsOf(issuedToken!)).toMatchObject({ exp: claimsOf(passport).exp, iat: harness.clock.nowMs() / 1000 });
  harness.clock.advance(10_000);
  expect(await ask(harness, passport)).toEqual(problem('invalid_passport'));
});

it('refuses everybody once everything was ended', async () => {
  const harness = await openHarness();
  const passport = await received(harness);
  harness.clock.advance(1);
  await raiseGlobalEpoch(harness.auth, undefined);
  expect(await ask(harness, passport)).toEqual(problem('session_ended'));
});

it('takes the passport’s audience for the caller where nothing proves one, and an audience that does not exist never', async () => {
  const harness = await openHarness();
  ok(await ask(harness, await received(harness), 'cart', undefined));
  expect(await ask(harness, 'x', 'cart', undefined)).toEqual(problem('invalid_passport'));
  expect(await ask(harness, await received(harness), 'payments')).toMatchObject({ problem: 'invalid_request' });
});

it('refuses a passport of a key that was retired', async () => {
  const harness = await openHarness();
  const passport = await received(harness);
  ok(await harness.auth.keys.rotate(true, undefined));
  expect(await ask(harness, passport)).toEqual(problem('invalid_passport'));
});
