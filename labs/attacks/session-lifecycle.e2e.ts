/** Group A: tokens that outlive the event that should end them. */
import { randomBytes } from 'node:crypto';
import { expect, newPerson, test } from '../../e2e/kit/device.ts';
import { gateways } from '../../e2e/kit/stack.ts';
import { passportFor, shownTo } from '../../e2e/kit/mesh.ts';
import { everywhere, expectDead, signedIn, tokenOf } from '../../e2e/kit/person.ts';
import { plain, posted, sessionCookieOf, tokenIn } from '../../e2e/kit/raw.ts';
import { untilHeard } from '../../e2e/kit/until-heard.ts';

test('A1 a token that was there before a sign-in is dead after it: guest, user and step-up', async ({ newDevice }) => {
  const device = await newDevice();
  await device.call('POST', '/api/session/guest');
  const planted = await tokenOf(device);
  const person = newPerson();
  expect((await device.register(person)).status).toBe(201);
  const first = await tokenOf(device);
  expect(first).not.toBe(planted);
  await expectDead(planted, 'the guest token');

  expect((await device.call('POST', '/api/session/reauthenticate', { password: person.password })).status).toBe(200);
  const proven = await tokenOf(device);
  expect(proven).not.toBe(first);
  await expectDead(first, 'the token from before the step-up');

  expect((await device.signIn(person)).status).toBe(200);
  expect(await tokenOf(device)).not.toBe(proven);
  await expectDead(proven, 'the token from before the second sign-in');
});

test('A1 a sign-in never adopts a token that the attacker made', async () => {
  const person = await signedIn();
  const part = () => randomBytes(32).toString('base64url');
  for (const planted of [`v1.local.0000.${part()}.${part()}`, 'fixed', person.token.replace(/.$/, '')]) {
    const answer = await posted('/api/session/login', person, { headers: { cookie: sessionCookieOf(planted) } });
    expect(answer.status, answer.body).toBe(200);
    expect(tokenIn(answer)).not.toBe(planted);
    expect(await everywhere(planted)).toEqual(['session_required', 'session_required']);
  }
});

test('A2 after a sign-out every gateway refuses the cookie, and every service the last passport', async () => {
  const { token } = await signedIn();
  const services = ['cart', 'profile', 'orders'] as const;
  const passports = new Map<(typeof services)[number], string>();
  for (const service of services) passports.set(service, await passportFor(token, service));
  expect(await everywhere(token)).toEqual(['lives', 'lives']);
  for (const [service, passport] of passports) expect(await shownTo(service, passport), service).toBe('ok');

  expect((await posted('/api/session/logout', {}, { headers: { cookie: sessionCookieOf(token) } })).status).toBe(204);
  await expectDead(token, 'the cookie');
  for (const [service, passport] of passports)
    await untilHeard(() => shownTo(service, passport), 'session_ended', `${service} refuses the passport`);
});

test('A3 a sign-out that races reads, writes and a step-up leaves no token alive', async () => {
  const person = await signedIn();
  const headers = { cookie: sessionCookieOf(person.token) };
  const racing = [
    ...gateways.map((gateway) => plain('/api/cart', { gateway, headers })),
    ...gateways.map((gateway) => plain('/api/session', { gateway, headers })),
    posted('/api/session/reauthenticate', { password: person.password }, { headers }),
    posted('/api/session/login', person, { headers, gateway: gateways[1] }),
    posted('/api/session/logout', {}, { headers }),
  ];
  const answers = await Promise.all(racing);
  const raced = answers.map(tokenIn).filter((token) => token !== undefined);
  await expectDead(person.token, 'the token that was signed out');
  // The step-up continued the same session, so its token is dead too. The sign-in made a separate session, which its owner can see.
  const states = await Promise.all(raced.map(async (token) => ({ token, alive: (await everywhere(token)).includes('lives') })));
  const owner = await posted('/api/session/login', person);
  const devices = JSON.parse(
    (await plain('/api/session/devices', { headers: { cookie: sessionCookieOf(tokenIn(owner)!) } })).body,
  ) as unknown[];
  expect(devices, 'every token that lives is listed').toHaveLength(states.filter(({ alive }) => alive).length + 1);
});

test('A5 sign-ins that race the end of all others: every token that lives is listed', async () => {
  const person = await signedIn();
  const headers = { cookie: sessionCookieOf(person.token), origin: gateways[0] };
  const answers = await Promise.all([
    ...[0, 1, 2, 3].map((at) => posted('/api/session/login', person, { gateway: gateways[at % 2]! })),
    plain('/api/session/devices', { method: 'DELETE', headers }),
    ...[4, 5].map((at) => posted('/api/session/login', person, { gateway: gateways[at % 2]! })),
  ]);
  const tokens = [person.token, ...answers.map(tokenIn).filter((token) => token !== undefined)];
  const listed = async () => {
    const answer = await plain('/api/session/devices', { headers });
    return (JSON.parse(answer.body) as unknown[]).length;
  };
  const alive = async () =>
    (await Promise.all(tokens.map((token) => everywhere(token)))).filter((states) => states.includes('lives')).length;
  await untilHeard(async () => (await alive()) - (await listed()), 0, 'live tokens less listed ones');
});

test('A8 an answer to an old token sets no session cookie and clears none', async () => {
  const person = await signedIn();
  const headers = { cookie: sessionCookieOf(person.token) };
  await posted('/api/session/logout', {}, { headers });
  await expectDead(person.token, 'the old token');
  const paths = ['/api/session', '/api/cart', '/api/profile', '/api/session/devices', '/api/products', '/api/events'];
  for (const path of paths) {
    const answer = await plain(path, { headers });
    expect(String(answer.headers['set-cookie'] ?? ''), path).not.toContain('__Host-');
    expect(answer.headers['clear-site-data'], path).toBeUndefined();
  }
});
