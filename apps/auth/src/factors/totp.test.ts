import { create } from '@bufbuild/protobuf';
import { ConfirmTotpRequestSchema, ReauthenticateRequestSchema } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { alive, claimsOf, codeAt, email, firstHalf, kindsOf, secondHalf, signedUp, withApp } from '../account.harness.ts';
import { guest, ok, password, personWith, signIn } from '../auth.harness.ts';
import { beginTotp } from './begin-totp.ts';
import { attemptCountMax, challengeLifetimeMs } from './challenges.ts';
import { confirmTotp } from './confirm-totp.ts';
import { raiseEpoch } from '../revocation/epochs.ts';
import { listFactors } from './list-factors.ts';
import { newRecoveryCodes } from './new-recovery-codes.ts';
import { noticesOf } from '../accounts/notices.ts';
import { reauthenticate } from '../sign-in/reauthenticate.ts';
import { removeTotp } from './remove-totp.ts';

const expired = { problem: 'challenge_expired' };
const wrong = { problem: 'invalid_second_factor' };
const code = (value: string) => ({ case: 'code', value }) as const;
const recovery = (value: string) => ({ case: 'recoveryCode', value }) as const;

describe('setting up', () => {
  it('makes codes of RFC 6238 for the account, as the app shows them', async () => {
    const { harness, token } = await signedUp();
    const begun = ok(await beginTotp(harness.auth, await personWith(harness, token)));
    expect(begun.uri).toMatch(/^otpauth:\/\/totp\/Cloakroom:ada%40example\.com\?.*digits=6&period=30/);
    expect(begun.secret).toMatch(/^[A-Z2-7]{32}$/);
    // RFC 6238 appendix B, SHA-1: T=59 s, the last 6 digits.
    expect(codeAt('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 59_000)).toBe('287082');
  });

  it('asks nobody for a code before one was seen, and keeps the secret unreadable', async () => {
    const { harness, token } = await signedUp();
    const { secret } = ok(await beginTotp(harness.auth, await personWith(harness, token)));
    expect(ok(await signIn(harness, email)).token).toBeTruthy();
    const kept = JSON.stringify(await harness.auth.database.selectFrom('totp').selectAll().execute());
    expect(kept).not.toContain(secret);
  });

  it('does not take a wrong code, one that is late, or one of a secret that was made anew', async () => {
    const { harness, token } = await signedUp();
    const person = await personWith(harness, token);
    const confirm = (value: string) => confirmTotp(harness.auth, person, create(ConfirmTotpRequestSchema, { code: value }));
    expect(await confirm('123456')).toEqual(expired);
    const first = ok(await beginTotp(harness.auth, person)).secret!;
    expect(await confirm('000000')).toEqual(wrong);
    ok(await beginTotp(harness.auth, person));
    expect(await confirm(codeAt(first, harness.clock.nowMs()))).toEqual(wrong);
    harness.clock.advance(16 * 60_000);
    expect(await confirm(codeAt(first, harness.clock.nowMs()))).toEqual(expired);
  });

  it('gives ten recovery codes, tells the person, and is not overwritten', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    const { codes } = await withApp(signed);
    expect(new Set(codes).size).toBe(10);
    expect(codes[0]).toMatch(/^([A-Z2-7]{6}-){3}[A-Z2-7]{6}$/);
    const kept = JSON.stringify(await harness.auth.database.selectFrom('recovery_codes').selectAll().execute());
    for (const each of codes) expect(kept).not.toContain(each.replaceAll('-', ''));
    expect(await kindsOf(signed)).toContain('factor_added');
    expect(await beginTotp(harness.auth, await personWith(harness, signed.token))).toEqual({ problem: 'factor_exists' });
  });
});

describe('signing in', () => {
  it('gives no session for the password alone, and one with both factors, which its passports state', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    const app = await withApp(signed);
    const half = ok(await signIn(harness, email));
    expect([half.token ?? '', half.session]).toEqual(['', undefined]);
    expect(half.secondFactor).toMatchObject({ methods: ['totp', 'recovery_code'], passkeyOptions: '' });
    const { token } = ok(await secondHalf(harness, half.secondFactor!.challenge!, code(app.code())));
    expect(await claimsOf(harness, token!)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    expect(await claimsOf(harness, signed.token)).toMatchObject({ acr: 'aal1', amr: ['pwd'] });
  });

  it('claims the guest cart with the second half, and not before', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    const app = await withApp(signed);
    const before = await guest(harness);
    const { secondFactor } = ok(await signIn(harness, email, before.token));
    expect(await alive(harness, before.token)).toBe(true);
    const { session } = ok(await secondHalf(harness, secondFactor!.challenge!, code(app.code()), before.token));
    expect(session).toMatchObject({ claimedGuestCart: before.subject });
    expect(await alive(harness, before.token)).toBe(false);
  });

  it('takes a code once, also within its 30 seconds and in two requests at once', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    const app = await withApp(signed);
    const halves = [await firstHalf(harness), await firstHalf(harness), await firstHalf(harness)];
    const now = app.code();
    const answers = await Promise.all(halves.slice(0, 2).map(({ challenge }) => secondHalf(harness, challenge!, code(now))));
    expect(answers.filter((answer) => 'token' in answer)).toHaveLength(1);
    expect(answers).toContainEqual(wrong);
    expect(await secondHalf(harness, halves[2]!.challenge!, code(now))).toEqual(wrong);
    // The code is of the step before the one that counted.
    expect(await secondHalf(harness, halves[2]!.challenge!, code(codeAt(app.secret, harness.clock.nowMs() - 30_000)))).toEqual(wrong);
  });

  it('takes a challenge once, for 5 minutes, and for few tries', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    const app = await withApp(signed);
    const used = (await firstHalf(harness)).challenge!;
    ok(await secondHalf(harness, used, code(app.code())));
    harness.clock.advance(30_000);
    expect(await secondHalf(harness, used, code(app.code()))).toEqual(expired);
    const tried = (await firstHalf(harness)).challenge!;
    for (let i = 0; i < attemptCountMax; i++) expect(await secondHalf(harness, tried, code('000000'))).toEqual(wrong);
    expect(await secondHalf(harness, tried, code(app.code()))).toEqual(expired);
    const late = (await firstHalf(harness)).challenge!;
    harness.clock.advance(challengeLifetimeMs);
    expect(await secondHalf(harness, late, code(app.code()))).toEqual(expired);
    expect(await secondHalf(harness, 'invented', code(app.code()))).toEqual(expired);
  });

  it('is throttled across challenges', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    await withApp(signed);
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push(await secondHalf(harness, (await firstHalf(harness)).challenge!, code('000000')));
    expect(answers.slice(0, 10)).toEqual(Array(10).fill(wrong));
    expect(answers[10]).toMatchObject({ problem: 'too_many_attempts' });
  });

  it('gives no session when all were ended, or a factor changed, since the password was proved', async () => {
    const signed = await signedUp();
    const { harness, subject } = signed;
    const app = await withApp(signed);
    const ended = (await firstHalf(harness)).challenge!;
    ok(await newRecoveryCodes(harness.auth, await personWith(harness, signed.token)));
    expect(await secondHalf(harness, ended, code(app.code()))).toEqual(expired);
    const raised = (await firstHalf(harness)).challenge!;
    await raiseEpoch(harness.auth, undefined, subject);
    expect(await secondHalf(harness, raised, code(app.code()))).toEqual({ problem: 'session_ended' });
  });

  it('takes a recovery code once, however it is typed', async () => {
    const signed = await signedUp();
    const { harness } = signed;
    const { codes } = await withApp(signed);
    const typed = codes[3]!.toLowerCase().replaceAll('-', ' ');
    const first = ok(await secondHalf(harness, (await firstHalf(harness)).challenge!, recovery(typed)));
    expect(await secondHalf(harness, (await firstHalf(harness)).challenge!, recovery(codes[3]!))).toEqual(wrong);
    const factors = ok(await listFactors(harness.auth, await personWith(harness, first.token!)));
    expect(factors).toMatchObject({ totpActive: true, recoveryCodesLeft: 9 });
    const told = (await noticesOf(harness.auth.database, signed.subject)).filter(({ kind }) => kind === 'recovery_code_used');
    expect(told.map(({ text }) => text)).toEqual([expect.stringContaining('9 are left')]);
  });
});

describe('a step-up', () => {
  it('needs the second factor too, in the same request', async () => {
    const signed = await signedUp();
    const { harness, token } = signed;
    const app = await withApp(signed);
    const prove = async (more: { code?: string; recoveryCode?: string } = {}) =>
      reauthenticate(harness.auth, await personWith(harness, token), create(ReauthenticateRequestSchema, { password, token, ...more }));
    expect(await prove()).toEqual({ secondFactor: { methods: ['totp', 'recovery_code'] } });
    expect(await prove({ code: '000000' })).toEqual(wrong);
    expect(await alive(harness, token)).toBe(true);
    const { token: successor } = ok(await prove({ code: app.code() }));
    expect([await alive(harness, token), await alive(harness, successor!)]).toEqual([false, true]);
  });
});

it('asks for the password alone once the app is removed, and its recovery codes are void', async () => {
  const signed = await signedUp();
  const { harness } = signed;
  await withApp(signed);
  const person = await personWith(harness, signed.token);
  expect(await removeTotp(harness.auth, person)).toEqual({ otherSessions: 0 });
  expect(await removeTotp(harness.auth, person)).toEqual({ problem: 'not_found' });
  expect(ok(await signIn(harness, email)).token).toBeTruthy();
  expect(ok(await listFactors(harness.auth, person))).toMatchObject({ totpActive: false, recoveryCodesLeft: 0 });
  expect(await newRecoveryCodes(harness.auth, person)).toEqual({ problem: 'not_found' });
  expect(await kindsOf(signed)).toContain('factor_removed');
});
