/**
 * Groups A and B on sessions that the browser carries itself (mode jwt-denylist): a signed access
 * token, and a refresh token that renews it.
 */
import { expect, newPerson, test } from '../../e2e/kit/device.ts';
import { gateways } from '../../e2e/kit/stack.ts';
import { assemble, signedByAttacker, takeApart } from '../../e2e/kit/forge.ts';
import { callMesh, cartPath, passportFor, profilePath, shownTo } from '../../e2e/kit/mesh.ts';
import { signedIn } from '../../e2e/kit/person.ts';
import { plain, posted, sessionCookieOf, type PlainAnswer } from '../../e2e/kit/raw.ts';
import { untilHeard } from '../../e2e/kit/until-heard.ts';

interface Carried {
  readonly access: string;
  readonly refresh: string;
}

function carriedIn(answer: PlainAnswer): Partial<Carried> {
  const set = [answer.headers['set-cookie'] ?? []].flat();
  const valueOf = (name: string) => set.map((one) => new RegExp(`^${name}=([^;]+)`).exec(one)?.[1]).find((value) => value !== undefined);
  const [access, refresh] = [valueOf('__Host-access'), valueOf('__Host-refresh')];
  return { ...(access !== undefined && { access }), ...(refresh !== undefined && { refresh }) };
}

async function signedInCarried() {
  const person = newPerson();
  expect((await posted('/api/session/register', person)).status).toBe(201);
  const answer = await posted('/api/session/login', { email: person.email, password: person.password, mode: 'jwt-denylist' });
  expect(answer.status, answer.body).toBe(200);
  const carried = carriedIn(answer);
  expect(Object.keys(carried).toSorted()).toEqual(['access', 'refresh']);
  return { person, ...(carried as Carried) };
}

const cookiesOf = ({ access, refresh }: Partial<Carried>): Record<string, string> => ({
  cookie: [
    ...(access === undefined ? [] : [`__Host-access=${access}`]),
    ...(refresh === undefined ? [] : [`__Host-refresh=${refresh}`]),
  ].join('; '),
});

/** The request of a browser whose access token has ended. */
const renewing = (refresh: string, gateway: string = gateways[0]): Promise<PlainAnswer> =>
  plain('/api/profile', { gateway, headers: cookiesOf({ refresh }) });

test('A2 after a sign-out no gateway and no service takes the access token', async () => {
  const { access, refresh } = await signedInCarried();
  const atService = async () => (await callMesh({ service: 'cart', path: cartPath, metadata: { 'x-access-token': access } })).code;
  expect(await atService()).toBe('ok');
  expect((await plain('/api/cart', { gateway: gateways[1], headers: cookiesOf({ access }) })).status).toBe(200);
  expect((await posted('/api/session/logout', {}, { headers: cookiesOf({ access, refresh }) })).status).toBe(204);
  for (const gateway of gateways)
    await untilHeard(async () => (await plain('/api/cart', { gateway, headers: cookiesOf({ access }) })).status, 401, gateway);
  await untilHeard(atService, 'session_ended');
  expect((await renewing(refresh)).status, 'nor does the refresh token renew it').toBe(401);
});

test('A6 a refresh token that is used again after its successor was used ends the session, and the thief’s with it', async () => {
  const { person, refresh } = await signedInCarried();
  const second = carriedIn(await renewing(refresh)).refresh!;
  const third = carriedIn(await renewing(second, gateways[1]));
  expect(third.refresh).toBeDefined();
  expect(new Set([refresh, second, third.refresh]).size).toBe(3);

  // Sent to the gateway that did not exchange the token. The other one repeats its answer for the 10 s of the grace, without asking auth.
  const replayed = await renewing(refresh, gateways[1]);
  expect([replayed.status, carriedIn(replayed)]).toEqual([401, {}]);
  // Neither side can prove that it is not the thief, so both are signed out.
  await untilHeard(async () => (await renewing(third.refresh!)).status, 401);
  const atOther = { gateway: gateways[1], headers: cookiesOf({ access: third.access! }) };
  await untilHeard(async () => (await plain('/api/profile', atOther)).status, 401);
  expect((await posted('/api/session/login', person)).status, 'the person signs in again').toBe(200);
});

test('A7 twenty requests that come with one refresh token at once are all let in, on one lineage', async () => {
  const { person, refresh } = await signedInCarried();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => renewing(refresh, gateways[at % 2]!)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(answers.every(({ body }) => body.includes(person.email))).toBe(true);
  expect(new Set(answers.map((answer) => carriedIn(answer).refresh)).size, 'one successor').toBe(1);
  expect((await renewing(carriedIn(answers[0]!).refresh!)).status).toBe(200);
});

test('A51 a self-made refresh token with another person’s handle ends no session of that person', async () => {
  const victim = await signedInCarried();
  const forged = [0, 1].map((generation) => victim.refresh.replace(/\.\d+\.[^.]+$/, `.${generation}.${'A'.repeat(43)}`));
  const attacker = newPerson();
  expect((await posted('/api/session/register', attacker)).status).toBe(201);
  for (const gateway of gateways)
    for (const refresh of forged) {
      const how = { gateway, headers: cookiesOf({ refresh }) };
      expect((await posted('/api/session/logout', {}, how)).status).toBe(204);
      expect((await posted('/api/session/login', { email: attacker.email, password: attacker.password }, how)).status).toBe(200);
    }
  let { refresh } = victim;
  for (const gateway of gateways) {
    const read = await plain('/api/profile', { gateway, headers: cookiesOf({ access: victim.access, refresh }) });
    expect([read.status, carriedIn(read)], 'served as before').toEqual([200, {}]);
    const renewed = await renewing(refresh, gateway);
    expect([renewed.status, Object.keys(carriedIn(renewed)).toSorted()], 'and renewed').toEqual([200, ['access', 'refresh']]);
    refresh = carriedIn(renewed).refresh!;
  }
});

test('B16 an access token is no passport, a passport no access token, and neither opens what is sensitive', async () => {
  const { access, refresh } = await signedInCarried();
  for (const service of ['cart', 'profile'] as const) expect(await shownTo(service, access)).toBe('invalid_passport');
  const { token } = await signedIn();
  const passport = await passportFor(token, 'profile');
  const shownAsAccess = await callMesh({ service: 'profile', path: profilePath, metadata: { 'x-access-token': passport } });
  expect(shownAsAccess.code).toBe('invalid_passport');
  const both = await callMesh({ service: 'profile', path: profilePath, metadata: { 'x-access-token': access, 'x-passport': passport } });
  expect(both.code).toBe('invalid_passport');
  for (const cookie of [{ access: passport }, { access: refresh }, { refresh: access }, { access: token, refresh: token }])
    expect((await plain('/api/session', { headers: cookiesOf(cookie) })).body, JSON.stringify(Object.keys(cookie))).toContain(
      '"state":"none"',
    );
  for (const text of [access, refresh, passport])
    expect((await plain('/api/session', { headers: { cookie: sessionCookieOf(text) } })).body).toContain('"state":"none"');
  const devices = '/cloakroom.auth.v1.AuthService/ListDevices';
  expect((await callMesh({ service: 'auth', path: devices, metadata: { 'x-access-token': access } })).code).toBe('invalid_passport');
});

test('B11 a changed access token identifies no person', async () => {
  const { access } = await signedInCarried();
  const { header, payload, signature } = takeApart(access);
  const forged = [
    assemble({ ...header, alg: 'none' }, payload, ''),
    assemble(header, { ...payload, sub: 'u_00000000-0000-4000-8000-000000000000' }, signature),
    assemble(header, { ...payload, exp: Number(payload['exp']) + 86_400 }, signature),
    assemble(header, { ...payload, mode: 'jwt' }, signature),
    signedByAttacker(header, payload),
    assemble({ ...header, typ: 'passport+jwt' }, payload, signature),
  ];
  for (const one of forged) {
    expect((await plain('/api/profile', { headers: cookiesOf({ access: one }) })).status).toBe(401);
    expect((await callMesh({ service: 'cart', path: cartPath, metadata: { 'x-access-token': one } })).code).toBe('invalid_passport');
  }
});
