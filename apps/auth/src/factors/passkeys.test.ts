import { create } from '@bufbuild/protobuf';
import { AddPasskeyRequestSchema, ReauthenticateWithPasskeyRequestSchema, RemovePasskeyRequestSchema } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import {
  alive,
  askForPasskey,
  claimsOf,
  firstHalf,
  kindsOf,
  loginPasskey,
  secondHalf,
  type Signed,
  signedUp,
  withPasskey,
} from '../account.harness.ts';
import { addPasskey } from './add-passkey.ts';
import { guest, ok, personWith, signUp } from '../auth.harness.ts';
import { type Behaviour, SoftwareAuthenticator } from './authenticator.fixture.ts';
import { challengeLifetimeMs } from './challenges.ts';
import { listFactors } from './list-factors.ts';
import { passkeyCreationOptions } from './passkey-creation-options.ts';
import { relyingParty } from './relying-party.ts';
import { reauthenticateWithPasskey } from '../sign-in/reauthenticate-with-passkey.ts';
import { removePasskey } from './remove-passkey.ts';

const wrong = { problem: 'invalid_second_factor' };
const expired = { problem: 'challenge_expired' };

/** Faults that no authenticator in our page would have. Auth must refuse each at registration and at sign-in. */
const dishonest: readonly (readonly [string, Behaviour])[] = [
  ['from another origin', { origin: 'https://evil.example' }],
  ['from the same host at a port that is not ours', { origin: 'http://localhost:9999' }],
  ['for another relying party', { rpId: 'evil.example' }],
  ['without verifying the user', { userVerified: false }],
  ['for another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ["in somebody else's frame", { crossOrigin: true }],
];

async function enrolled() {
  const signed = await signedUp();
  return { ...signed, ...(await withPasskey(signed)) };
}

const begin = async ({ harness, token }: Pick<Signed, 'harness' | 'token'>) =>
  ok(await passkeyCreationOptions(harness.auth, await personWith(harness, token)));
const add = async ({ harness, token }: Pick<Signed, 'harness' | 'token'>, challenge: string, response: string) =>
  addPasskey(harness.auth, await personWith(harness, token), create(AddPasskeyRequestSchema, { challenge, name: 'Phone', response }));

describe('adding', () => {
  it('asks for a discoverable credential that verifies its user, and shows no e-mail as the handle', async () => {
    const options = JSON.parse((await begin(await signedUp())).options!) as Record<string, unknown>;
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Cloakroom' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    expect(JSON.stringify(options['user'])).not.toContain(Buffer.from('ada@example.com').toString('base64url'));
  });

  it('keeps the public key, tells the person, and gives recovery codes with the first factor alone', async () => {
    const signed = await enrolled();
    expect(signed.added.recoveryCodes).toHaveLength(10);
    expect((await withPasskey(signed)).added.recoveryCodes).toEqual([]);
    expect(await kindsOf(signed)).toContain('factor_added');
    const { passkeys } = ok(await listFactors(signed.harness.auth, await personWith(signed.harness, signed.token)));
    expect(passkeys).toEqual([
      expect.objectContaining({ name: 'Laptop', lastUsedAtMs: 0n }),
      expect.objectContaining({ name: 'Laptop', passkeyId: expect.any(String) }),
    ]);
  });

  it.each(dishonest)('refuses what was made %s', async (_name, behaviour) => {
    const signed = await signedUp();
    const { challenge, options } = await begin(signed);
    expect(await add(signed, challenge!, new SoftwareAuthenticator().create(options!, behaviour))).toEqual(wrong);
  });

  it('takes a challenge once, of the same person, within 5 minutes', async () => {
    const signed = await signedUp();
    const other = ok(await signUp(signed.harness, 'grace@example.com')).token!;
    const authenticator = new SoftwareAuthenticator();
    const first = await begin(signed);
    const response = authenticator.create(first.options!);
    expect(await add({ ...signed, token: other }, first.challenge!, response)).toEqual(expired);
    expect(await add(signed, first.challenge!, response), 'spent by the other person').toEqual(expired);
    const late = await begin(signed);
    signed.harness.clock.advance(challengeLifetimeMs);
    expect(await add(signed, late.challenge!, authenticator.create(late.options!))).toEqual(expired);
  });

  it('does not take a credential that somebody has registered', async () => {
    const signed = await enrolled();
    const other = ok(await signUp(signed.harness, 'grace@example.com')).token!;
    const { challenge, options } = await begin({ ...signed, token: other });
    expect(await add({ ...signed, token: other }, challenge!, signed.authenticator.create(options!))).toEqual({ problem: 'factor_exists' });
  });

  it.each(['', '{', 'null', '{"id":"x"}', `{"id":"${'a'.repeat(20_000)}"}`])('takes no response like %.20j', async (text) => {
    const signed = await signedUp();
    const { challenge } = await begin(signed);
    expect(await add(signed, challenge!, text)).toEqual(wrong);
  });
});

describe('signing in by passkey', () => {
  it('needs nothing else, claims the guest cart, and counts as two factors', async () => {
    const { harness, authenticator, subject } = await enrolled();
    const before = await guest(harness);
    const { challenge, options } = await askForPasskey(harness);
    expect(options).not.toContain('allowCredentials');
    const { token, session } = ok(await loginPasskey(harness, challenge, authenticator.get(options), before.token));
    expect(session).toMatchObject({ subject, claimedGuestCart: before.subject });
    expect(await claimsOf(harness, token!)).toMatchObject({ acr: 'aal2', amr: ['hwk', 'user', 'mfa'] });
  });

  it.each(dishonest)('refuses what was signed %s', async (_name, behaviour) => {
    const { harness, authenticator } = await enrolled();
    const { challenge, options } = await askForPasskey(harness);
    expect(await loginPasskey(harness, challenge, authenticator.get(options, behaviour))).toEqual(wrong);
  });

  it('takes a challenge once, and spends it on a wrong answer too', async () => {
    const { harness, authenticator } = await enrolled();
    const right = await askForPasskey(harness);
    const response = authenticator.get(right.options);
    ok(await loginPasskey(harness, right.challenge, response));
    expect(await loginPasskey(harness, right.challenge, response)).toEqual(expired);
    const missed = await askForPasskey(harness);
    expect(await loginPasskey(harness, missed.challenge, new SoftwareAuthenticator().get(missed.options))).toEqual(wrong);
    expect(await loginPasskey(harness, missed.challenge, authenticator.get(missed.options))).toEqual(expired);
  });

  it('refuses a counter that does not rise: the authenticator was copied', async () => {
    const { harness, authenticator } = await enrolled();
    const answer = async (counter: number) => {
      const { challenge, options } = await askForPasskey(harness);
      return loginPasskey(harness, challenge, authenticator.get(options, { counter }));
    };
    ok(await answer(10));
    expect(await answer(10)).toEqual(wrong);
    expect(await answer(9)).toEqual(wrong);
    ok(await answer(11));
  });

  it('takes an authenticator that counts nothing, again and again', async () => {
    const signed = await signedUp();
    const authenticator = new SoftwareAuthenticator();
    const { challenge, options } = await begin(signed);
    ok(await add(signed, challenge!, authenticator.create(options!, { counter: 0 })));
    for (let i = 0; i < 2; i++) {
      const asked = await askForPasskey(signed.harness);
      ok(await loginPasskey(signed.harness, asked.challenge, authenticator.get(asked.options, { counter: 0 })));
    }
  });

  it.each([
    ['nobody', ''],
    ['somebody else', Buffer.from('u_00000000-0000-4000-8000-000000000000').toString('base64url')],
  ])('refuses a credential that names %s as its person', async (_name, userHandle) => {
    const { harness, authenticator } = await enrolled();
    const { challenge, options } = await askForPasskey(harness);
    expect(await loginPasskey(harness, challenge, authenticator.get(options, { userHandle }))).toEqual(wrong);
  });

  it('ends nothing of the account when an unknown credential is tried, and tells it from no other failure', async () => {
    const { harness } = await enrolled();
    const { challenge, options } = await askForPasskey(harness);
    const stranger = new SoftwareAuthenticator();
    expect(await loginPasskey(harness, challenge, stranger.get(options))).toEqual(wrong);
  });
});

describe('as a second factor', () => {
  it('stands beside the password, by the passkeys of that account alone', async () => {
    const { harness, authenticator } = await enrolled();
    const grace = ok(await signUp(harness, 'grace@example.com')).token!;
    const other = await withPasskey({ harness, token: grace });
    const half = await firstHalf(harness);
    expect(half.methods).toEqual(['passkey', 'recovery_code']);
    const options = half.passkeyOptions!;
    expect((JSON.parse(options) as { allowCredentials: object[] }).allowCredentials).toHaveLength(1);
    const prove = (value: string) => secondHalf(harness, half.challenge!, { case: 'response', value });
    expect(await prove(other.authenticator.get(options))).toEqual(wrong);
    expect(await prove(authenticator.get(options, { origin: 'https://evil.example' }))).toEqual(wrong);
    const { token } = ok(await prove(authenticator.get(options)));
    expect(await claimsOf(harness, token!)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'hwk', 'mfa'] });
  });
});

describe('a step-up by passkey', () => {
  it("renews the proof of its own person's session, and of no other's", async () => {
    const { harness, authenticator, token } = await enrolled();
    const grace = ok(await signUp(harness, 'grace@example.com')).token!;
    const prove = async (of: string) => {
      const { challenge, options } = await askForPasskey(harness);
      const request = create(ReauthenticateWithPasskeyRequestSchema, { challenge, response: authenticator.get(options), token: of });
      return reauthenticateWithPasskey(harness.auth, await personWith(harness, of), request);
    };
    harness.clock.advance(10 * 60_000);
    expect(await prove(grace)).toEqual(wrong);
    const { token: successor, session } = ok(await prove(token));
    expect(session).toMatchObject({ authenticatedAtMs: BigInt(harness.clock.nowMs()) });
    expect([await alive(harness, token), await alive(harness, successor!)]).toEqual([false, true]);
  });
});

it('signs in nobody by a passkey that was removed, and finds no other person to remove it from', async () => {
  const { harness, authenticator, added, token } = await enrolled();
  const grace = ok(await signUp(harness, 'grace@example.com')).token!;
  const remove = async (of: string) =>
    removePasskey(
      harness.auth,
      await personWith(harness, of),
      create(RemovePasskeyRequestSchema, { passkeyId: added.passkey!.passkeyId! }),
    );
  expect(await remove(grace)).toEqual({ problem: 'not_found' });
  const { challenge, options } = await askForPasskey(harness);
  expect(await remove(token)).toEqual({ otherSessions: 0 });
  expect(await loginPasskey(harness, challenge, authenticator.get(options))).toEqual(wrong);
});

describe('the relying party', () => {
  it('is the first host that has a name, at every origin of it', () => {
    const origins = ['http://127.0.0.1:4000', 'http://localhost:4000', 'http://localhost:4001', 'http://[::1]:4000'];
    expect(relyingParty(origins)).toEqual({ id: 'localhost', origins: ['http://localhost:4000', 'http://localhost:4001'] });
    expect(relyingParty(['https://shop.example', 'https://www.shop.example', 'https://other.example']).origins).toHaveLength(2);
  });

  it('is nobody where there are addresses only', () => {
    expect(() => relyingParty(['http://127.0.0.1:4000'])).toThrow(RangeError);
  });
});
