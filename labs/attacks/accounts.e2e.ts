/** Group A on accounts: a person who has a password, a session or half of a sign-in must not get the rest. */
import { createHmac } from 'node:crypto';
import { expect, newPerson, test } from '../../e2e/kit/device.ts';
import { gateways } from '../../e2e/kit/stack.ts';
import { callMesh, passportFor, shownTo } from '../../e2e/kit/mesh.ts';
import { everywhere, expectDead, signedIn } from '../../e2e/kit/person.ts';
import { plain, posted, sessionCookieOf, tokenIn, type PlainAnswer } from '../../e2e/kit/raw.ts';
import { untilHeard } from '../../e2e/kit/until-heard.ts';

const operator = { email: 'admin@example.com', password: 'correct horse battery staple' };
const another = 'quite another password';

const as = (token: string, more: { readonly method?: string; readonly body?: unknown } = {}) => ({
  headers: { cookie: sessionCookieOf(token), origin: gateways[0], 'content-type': 'application/json' },
  ...(more.method !== undefined && { method: more.method }),
  ...(more.body !== undefined && { body: JSON.stringify(more.body) }),
});
const codeIn = (answer: PlainAnswer): string => (JSON.parse(answer.body) as { code: string }).code;

async function signIn(person: { readonly email: string; readonly password: string }): Promise<PlainAnswer> {
  return posted('/api/session/login', { email: person.email, password: person.password });
}

test('A10 a person who changes the password may end all other sessions, and every gateway refuses them', async () => {
  const person = await signedIn();
  const thief = tokenIn(await signIn(person))!;
  expect(await everywhere(thief)).toEqual(['lives', 'lives']);
  const changed = await plain('/api/session/password', as(person.token, { method: 'PUT', body: { password: another, endOthers: true } }));
  expect(changed.status, changed.body).toBe(200);
  await expectDead(thief, 'the session of the thief');
  await expectDead(person.token, 'the token from before');
  expect(await everywhere(tokenIn(changed)!)).toEqual(['lives', 'lives']);
  expect(codeIn(await signIn(person)), 'the old password').toBe('invalid_credentials');
});

test('A10 a disabled person is signed out everywhere and told no more than after a wrong password', async () => {
  const person = await signedIn();
  const admin = tokenIn(await signIn(operator))!;
  const found = await plain(`/api/admin/users?query=${encodeURIComponent(person.email)}`, as(admin));
  const [{ userId }] = (JSON.parse(found.body) as { items: [{ userId: string }] }).items;
  const passport = await passportFor(person.token, 'profile');
  expect((await plain(`/api/admin/users/${userId}/disable`, as(admin, { method: 'POST', body: {} }))).status).toBe(204);
  await expectDead(person.token, 'the session');
  await untilHeard(() => shownTo('profile', passport), 'session_ended', 'the passport');
  const refused = await signIn(person);
  const wrong = await signIn({ ...(await signedIn()), password: 'a wrong password' });
  expect([refused.status, codeIn(refused)]).toEqual([wrong.status, codeIn(wrong)]);
  expect((await plain(`/api/admin/users/${userId}/enable`, as(admin, { method: 'POST', body: {} }))).status).toBe(204);
  expect(await everywhere(person.token), 'no session comes back').toEqual(['session_ended', 'session_ended']);
});

test('A10 only an administrator can do administrator actions, by the page or directly at auth', async () => {
  const [person, victim] = [await signedIn(), await signedIn()];
  const admin = tokenIn(await signIn(operator))!;
  const found = await plain(`/api/admin/users?query=${encodeURIComponent(victim.email)}`, as(admin));
  const [{ userId }] = (JSON.parse(found.body) as { items: [{ userId: string }] }).items;
  const deeds = [...['disable', 'enable', 'revoke'].map((what) => `/api/admin/users/${userId}/${what}`), '/api/admin/revoke-everything'];
  const guest = tokenIn(await posted('/api/session/guest', {}))!;
  for (const path of deeds) {
    expect((await plain(path, as(person.token, { method: 'POST', body: { role: 'admin' } }))).status, path).toBe(403);
    expect((await plain(path, as(guest, { method: 'POST', body: {} }))).status, path).toBe(401);
    expect((await posted(path, {})).status, path).toBe(401);
  }
  expect((await plain('/api/admin/users', as(person.token))).status).toBe(403);
  for (const method of ['DisableUser', 'EnableUser', 'RevokeUser', 'RevokeEverything', 'FindUsers']) {
    const passport = await passportFor(person.token, 'auth');
    const { code } = await callMesh({
      service: 'auth',
      path: `/cloakroom.auth.v1.AccountService/${method}`,
      metadata: { 'x-passport': passport },
    });
    expect(code, method).toBe('forbidden');
  }
  // No person becomes an administrator either: a role in a sign-up or a profile is ignored.
  const upstart = await posted('/api/session/register', { ...newPerson(), role: 'admin' });
  expect([201, 400]).toContain(upstart.status);
  if (upstart.status === 201) expect((await plain('/api/admin/users', as(tokenIn(upstart)!))).status).toBe(403);
  expect(await everywhere(victim.token), 'the victim').toEqual(['lives', 'lives']);
});

/** RFC 6238, as an authenticator app computes it. */
function oneTimeCode(base32: string, atMs: number): string {
  const bits = Array.from(base32, (letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)));
  const mac = createHmac('sha1', key).update(step).digest();
  const offset = mac.at(-1)! & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('A10 a password alone opens nothing for an account with a second factor, and no challenge or code counts twice', async () => {
  const [person, other] = [await signedIn(), await signedIn()];
  const { secret } = JSON.parse((await plain('/api/session/factors/totp', as(person.token, { method: 'POST', body: {} }))).body) as {
    secret: string;
  };
  // The code of the step before: the current one is left for the sign-in.
  const confirmed = await plain(
    '/api/session/factors/totp',
    as(person.token, { method: 'PUT', body: { code: oneTimeCode(secret, Date.now() - 30_000) } }),
  );
  expect(confirmed.status, confirmed.body).toBe(200);
  const [recovery] = (JSON.parse(confirmed.body) as { recoveryCodes: string[] }).recoveryCodes;

  const begin = async () => {
    const answer = await signIn(person);
    expect([answer.status, codeIn(answer), tokenIn(answer)]).toEqual([401, 'second_factor_required', undefined]);
    return (JSON.parse(answer.body) as { challenge: string }).challenge;
  };
  const finish = (body: unknown, headers: Record<string, string> = {}) => posted('/api/session/login/second-factor', body, { headers });
  const first = await begin();
  for (const wrong of [{ code: '000000' }, { recoveryCode: 'AAAA-AAAA' }, {}, { code: '', recoveryCode: '' }]) {
    const answer = await finish({ challenge: first, ...wrong }, { cookie: sessionCookieOf(other.token) });
    expect(answer.status, JSON.stringify(wrong)).toBeGreaterThanOrEqual(400);
    expect(tokenIn(answer)).toBeUndefined();
  }
  for (const challenge of ['', first.slice(0, -1), `${first}x`, 'constructor']) {
    const answer = await finish({ challenge, code: oneTimeCode(secret, Date.now()) });
    expect(answer.status, challenge).toBeGreaterThanOrEqual(400);
    expect(tokenIn(answer)).toBeUndefined();
  }
  const second = await begin();
  const code = oneTimeCode(secret, Date.now());
  const done = await finish({ challenge: second, code });
  expect(done.status, done.body).toBe(200);
  expect(tokenIn(await finish({ challenge: second, code })), 'the challenge again').toBeUndefined();
  expect(tokenIn(await finish({ challenge: await begin(), code })), 'the code again').toBeUndefined();
  expect((await finish({ challenge: await begin(), recoveryCode: recovery })).status).toBe(200);
  expect(tokenIn(await finish({ challenge: await begin(), recoveryCode: recovery })), 'the recovery code again').toBeUndefined();
});
