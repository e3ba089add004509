/** An older token gets no share in a newer proof, and a change is no proof. */
import { create } from '@bufbuild/protobuf';
import {
  ChangeEmailRequestSchema,
  ChangePasswordRequestSchema,
  isProblem,
  LoginRequestSchema,
  ReauthenticateRequestSchema,
  RefreshRequestSchema,
  TokenMode,
} from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { parseRefreshToken, tagOf } from '@cloakroom/session';
import { beforeEach, describe, expect, it } from 'vitest';
import { alive, email, type Signed, signedUp } from '../account.harness.ts';
import { contextOf, type Harness, look, ok, password, personWith, signIn } from '../auth.harness.ts';
import { changeEmail } from '../sign-in/change-email.ts';
import { changePassword } from '../sign-in/change-password.ts';
import type { Issued } from './issue-tokens.ts';
import { login } from '../sign-in/login.ts';
import { reauthenticate } from '../sign-in/reauthenticate.ts';
import { refresh } from './refresh.ts';

let signed: Signed;
let harness: Harness;
beforeEach(async () => {
  signed = await signedUp();
  ({ harness } = signed);
});

const minuteMs = 60_000;

async function signInAs(mode: TokenMode): Promise<Issued> {
  return ok(await login(harness.auth, contextOf(), create(LoginRequestSchema, { email, password, mode, remoteAddress: '127.0.0.1' })));
}

const tokenOf = ({ token, refreshToken }: Issued): string => (token === '' || token === undefined ? refreshToken! : token);

/** The caller as the gateway states it to auth, from the opaque token or from the access token of a self-contained session. */
async function personBy(issued: Issued): Promise<PersonContext> {
  const selfContained = parseRefreshToken(issued.refreshToken, harness.auth.refreshKeys);
  if (selfContained === undefined) return personWith(harness, issued.token!);
  const verified = await harness.auth.accessTokens.verify(issued.accessToken!);
  if (typeof verified === 'string') throw new Error(verified);
  return contextOf({ ...verified.identity, issuedAtMs: harness.clock.nowMs() }) as PersonContext;
}

async function prove(issued: Issued, harnessOfIt = harness): Promise<Issued> {
  const request = create(ReauthenticateRequestSchema, { password, token: tokenOf(issued), remoteAddress: '127.0.0.1' });
  return ok(await reauthenticate(harnessOfIt.auth, await personBy(issued), request));
}

const provenAtMs = async (): Promise<number[]> =>
  (await harness.auth.store.list(tagOf(signed.subject), signed.subject, harness.clock.nowMs())).map((each) => each.authenticatedAtMs);

describe.each([TokenMode.JWT, TokenMode.JWT_DENYLIST])('an access token in mode %i from before a proof', (mode) => {
  it('is not told of the proof: it is asked about in vain', async () => {
    const before = await signInAs(mode);
    harness.clock.advance(4 * minuteMs);
    const after = await prove(before);
    expect(await look(harness, before.accessToken!, 'auth')).toEqual({});
    expect(await look(harness, after.accessToken!, 'auth')).toMatchObject({
      session: { authenticatedAtMs: BigInt(harness.clock.nowMs()) },
    });
  });
  it('is not told of it after the next refresh either', async () => {
    const before = await signInAs(mode);
    harness.clock.advance(minuteMs);
    const after = await prove(before);
    harness.clock.advance(minuteMs);
    const request = create(RefreshRequestSchema, { refreshToken: after.refreshToken!, touch: true });
    const next = ok(await refresh(harness.auth, contextOf(), request));
    expect(await look(harness, before.accessToken!, 'auth')).toEqual({});
    expect((await look(harness, after.accessToken!)).session, 'a refresh alone takes nothing away').toBeDefined();
    expect((await look(harness, next.accessToken!)).session).toBeDefined();
  });
});

describe.each([TokenMode.REFERENCE, TokenMode.HYBRID, TokenMode.JWT, TokenMode.JWT_DENYLIST])('a change in mode %i', (mode) => {
  const changes = {
    email: async (issued: Issued) =>
      changeEmail(harness.auth, await personBy(issued), create(ChangeEmailRequestSchema, { email, token: tokenOf(issued) })),
    password: async (issued: Issued) =>
      changePassword(
        harness.auth,
        await personBy(issued),
        create(ChangePasswordRequestSchema, { password: 'another long password', endOthers: true, token: tokenOf(issued) }),
      ),
  };
  it.each(['email', 'password'] as const)('of the %s is no proof: step-up lasts no longer for it', async (what) => {
    let issued = await signInAs(mode);
    const provedMs = harness.clock.nowMs();
    for (let times = 0; times < 3; times++) {
      harness.clock.advance(minuteMs);
      issued = ok(await changes[what](issued));
      expect(Number(issued.session!.authenticatedAtMs)).toBe(provedMs);
    }
    expect(await provenAtMs()).toContain(provedMs);
    expect(await provenAtMs()).not.toContain(harness.clock.nowMs());
  });
  it('leaves what the browser held before worth nothing, at once, and signs nobody out', async () => {
    const before = await signInAs(mode);
    harness.clock.advance(minuteMs);
    const after = ok(await changes.password(before));
    if (before.refreshToken === undefined) expect(await alive(harness, before.token!)).toBe(false);
    else {
      const trade = (refreshToken: string) =>
        refresh(harness.auth, contextOf(), create(RefreshRequestSchema, { refreshToken, touch: true }));
      expect(await trade(before.refreshToken)).toEqual({ problem: 'session_ended' });
      expect(await look(harness, before.accessToken!, 'auth')).toEqual({});
      expect(isProblem(await trade(after.refreshToken!))).toBe(false);
    }
  });
});

it.each([TokenMode.HYBRID, TokenMode.JWT_DENYLIST])(
  'what another replica, whose clock is behind, says after a step-up in mode %i is not dated before it',
  async (mode) => {
    const before = await signInAs(mode);
    harness.clock.advance(minuteMs);
    const provedMs = harness.clock.nowMs();
    const after = await prove(before);
    harness.clock.advance(-300);
    // Everyone who heard of the step-up refuses older tokens, so the passport must not be dated earlier.
    const { passport } = await look(harness, after.token === '' ? after.accessToken! : after.token!, 'cart');
    const { iat } = JSON.parse(Buffer.from(passport!.split('.')[1]!, 'base64url').toString()) as { iat: number };
    expect(iat * 1000).toBeGreaterThanOrEqual(provedMs);
    if (after.refreshToken === undefined) return;
    const request = create(RefreshRequestSchema, { refreshToken: after.refreshToken, touch: true });
    const next = ok(await refresh(harness.auth, contextOf(), request));
    expect(await harness.auth.accessTokens.verify(next.accessToken!)).toMatchObject({ identity: { issuedAtMs: provedMs } });
  },
);

it('a step-up by a password that was changed while it was looked at is none', async () => {
  const phone = ok(await signIn(harness, email));
  harness.clock.advance(10 * minuteMs);
  const inner = harness.auth.passwords;
  const passwords: typeof inner = {
    ...inner,
    matches: async (...given) => {
      const same = await inner.matches(...given);
      const person = await personWith(harness, signed.token);
      const request = create(ChangePasswordRequestSchema, { password: 'another long password', token: signed.token });
      ok(await changePassword(harness.auth, person, request));
      return same;
    },
  };
  await expect(prove(phone, { ...harness, auth: { ...harness.auth, passwords } })).rejects.toThrow('session_ended');
  expect(await alive(harness, phone.token!)).toBe(false);
  expect(await provenAtMs(), 'nobody holds a session with a proof of now but who changed it').toHaveLength(1);
});
