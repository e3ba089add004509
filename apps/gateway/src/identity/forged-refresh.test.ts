/** A handle is no secret. A client that writes somebody's handle into a forged refresh token must change nothing for that person. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRefreshToken } from '@cloakroom/session';
import { ask, openStage, type Stage, type Told } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());

const cookieOf = (access: string | undefined, refresh: string) => ({
  cookie: [access && `__Host-access=${access}`, `__Host-refresh=${refresh}`].filter(Boolean).join('; '),
});
const begin = () => stage.auth.selfContained.begin('jwt-denylist');
const setIn = (told: Told, name: string) => told.setCookies.some((cookie) => cookie.startsWith(`${name}=`));
const read = (tokens: { access?: string; refresh: string }) =>
  ask(stage.url, '/api/cart', { headers: cookieOf(tokens.access, tokens.refresh) });

/** A refresh token as anyone who has seen the handle can write it: the form is right, the seal is not. */
function forged(refresh: string, generation?: number): string {
  const parts = readRefreshToken(refresh)!;
  const made = refresh.replace(/\.\d+\.[^.]+$/, `.${generation ?? parts.generation}.${'A'.repeat(43)}`);
  expect(readRefreshToken(made)).toMatchObject({ handle: parts.handle });
  return made;
}

const login = (refresh: string) =>
  ask(stage.url, '/api/session/login', {
    method: 'POST',
    body: { email: 'mallory@example.com', password: 'right' },
    headers: cookieOf(undefined, refresh),
  });
const register = (refresh: string) =>
  ask(stage.url, '/api/session/register', {
    method: 'POST',
    body: { email: 'mallory@example.com', password: 'a long enough secret', name: 'Mallory' },
    headers: cookieOf(undefined, refresh),
  });
const logout = (refresh: string) => ask(stage.url, '/api/session/logout', { method: 'POST', headers: cookieOf(undefined, refresh) });

it.each([
  ['a sign-out', logout, 204],
  ['a sign-in', login, 200],
  ['a sign-up', register, 201],
] as const)('%s with a refresh token of one’s own making ends nobody’s session', async (_name, attack, status) => {
  const { tokens } = begin();
  for (const generation of [0, 1, 2]) expect((await attack(forged(tokens.refresh, generation))).status).toBe(status);
  const before = stage.auth.calls['refresh'] ?? 0;
  const told = await read(tokens);
  expect([told.status, told.setCookies]).toEqual([200, []]);
  expect(stage.auth.calls['refresh'] ?? 0, 'the access token was believed').toBe(before);
  const renewed = await read({ refresh: tokens.refresh });
  expect([renewed.status, setIn(renewed, '__Host-refresh'), setIn(renewed, '__Host-access')]).toEqual([200, true, true]);
});

it('a sign-out with the real refresh token is known at once where it was seen', async () => {
  const { tokens } = begin();
  expect((await logout(tokens.refresh)).status).toBe(204);
  expect((await read(tokens)).status).toBe(401);
});

it('a sign-in in place of a self-contained session makes its tokens worthless at once where it was seen', async () => {
  const { tokens } = begin();
  expect((await login(tokens.refresh)).status).toBe(200);
  expect((await read(tokens)).status).toBe(401);
});
