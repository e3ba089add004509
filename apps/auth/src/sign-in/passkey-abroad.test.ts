/** Sign-in by a passkey whose account lives in the other region, connected and cut. */
import { isProblem, type LoginWithPasskeyAtHomeRequest } from '@cloakroom/contracts';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { askForPasskey, loginPasskey, withPasskey } from '../account.harness.ts';
import { guest, type Harness, look, ok, signUp } from '../auth.harness.ts';
import { SoftwareAuthenticator } from '../factors/authenticator.fixture.ts';
import { throttleLimits } from '../throttle/throttle.ts';
import { type TwoRegions, twoRegions } from './two-regions.harness.ts';

let regions: TwoRegions;
/** The passkey of somebody who lives there. */
const authenticators = {} as Record<'eu' | 'us', SoftwareAuthenticator>;
const limits = { ...throttleLimits, addressFailures: 10 };

beforeAll(async () => {
  regions = await twoRegions({ limits });
  for (const region of ['eu', 'us'] as const) {
    const harness = regions[region];
    const token = ok(await signUp(harness, `${region}@example.com`)).token!;
    ({ authenticator: authenticators[region] } = await withPasskey({ harness, token }));
  }
}, 180_000);
beforeEach(() => {
  const { eu, us, ocean } = regions;
  for (const { clock } of [eu, us]) clock.advance(3_600_000);
  ocean.isCut = false;
  ocean.asked.length = 0;
});

async function signIn(harness: Harness, authenticator: SoftwareAuthenticator, currentToken = '') {
  const { challenge, options } = await askForPasskey(harness);
  return loginPasskey(harness, challenge, authenticator.get(options), currentToken);
}

it('opens a session at home, and claims the guest cart of the region where the person is', async () => {
  const { eu, us, ocean } = regions;
  const { token: guestToken, subject } = await guest(eu);
  const { token, session } = ok(await signIn(eu, authenticators.us, guestToken));
  expect(session).toMatchObject({ region: 'us', email: 'us@example.com', claimedGuestCart: subject });
  expect((await look(us, token!)).session).toMatchObject({ email: 'us@example.com' });
  expect((await look(eu, guestToken)).session).toBeUndefined();
  const { login, webauthn } = ocean.asked[0]!.request as LoginWithPasskeyAtHomeRequest;
  expect([ocean.asked.length, login!.challenge, login!.currentToken]).toEqual([1, '', '']);
  expect(webauthn).not.toBe('');
});

it('asks nobody about a passkey of this region', async () => {
  const { eu, ocean } = regions;
  expect(ok(await signIn(eu, authenticators.eu)).session).toMatchObject({ region: 'eu' });
  const { challenge } = await askForPasskey(eu);
  const { options } = await askForPasskey(eu);
  expect(await loginPasskey(eu, challenge, authenticators.eu.get(options)), 'for another challenge').toMatchObject({
    problem: 'invalid_second_factor',
  });
  expect(ocean.asked).toEqual([]);
});

it('takes an answer once, and only what was signed for its own challenge', async () => {
  const { eu, ocean } = regions;
  const { challenge, options } = await askForPasskey(eu);
  const response = authenticators.us.get(options);
  ok(await loginPasskey(eu, challenge, response));
  expect(await loginPasskey(eu, challenge, response)).toMatchObject({ problem: 'challenge_expired' });
  expect(ocean.asked.length, 'a spent challenge is not carried').toBe(1);
  const another = await askForPasskey(eu);
  expect(await loginPasskey(eu, another.challenge, response)).toMatchObject({ problem: 'invalid_second_factor' });
  expect(await signIn(eu, new SoftwareAuthenticator()), 'a passkey of nobody').toMatchObject({ problem: 'invalid_second_factor' });
});

it('counts wrong passkeys by address in both regions, and gives back what succeeded', async () => {
  const { eu, us } = regions;
  for (let i = 0; i <= limits.addressFailures; i++) ok(await signIn(eu, authenticators.us));
  const wrong = async (): Promise<string> => {
    const { challenge, options } = await askForPasskey(eu);
    const answer = await loginPasskey(eu, challenge, authenticators.us.get(options, { userVerified: false }));
    return isProblem(answer) ? answer.problem : 'signed in';
  };
  for (let i = 0; i < limits.addressFailures; i++) expect(await wrong()).toBe('invalid_second_factor');
  expect(await wrong()).toBe('too_many_attempts');
  expect(await signIn(us, authenticators.us), 'its own region counted the same').toMatchObject({ problem: 'too_many_attempts' });
});

it('in a cut passkeys of this region sign in, and any other is told which region is silent', async () => {
  const { eu, ocean } = regions;
  ocean.isCut = true;
  expect(ok(await signIn(eu, authenticators.eu)).session).toMatchObject({ region: 'eu' });
  const refused = await signIn(eu, authenticators.us);
  expect(refused).toMatchObject({ problem: 'home_region_unreachable', detail: expect.stringContaining('"us"') as string });
  ocean.isCut = false;
  expect(ok(await signIn(eu, authenticators.us)).session).toMatchObject({ region: 'us' });
});
