/** A gateway of the region "local", and people whose home is the region "us". */
import { problem } from '@cloakroom/contracts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { FakeAuth } from '../testing/fake-auth.fixture.ts';
import { ask, openStage, type Stage, type Told, until } from '../testing/gateway.fixture.ts';

const us = new FakeAuth('us');
let stage: Stage;
beforeAll(async () => {
  stage = await openStage({}, us);
});
afterAll(() => stage.stop());
beforeEach(() => {
  us.failing = undefined;
  stage.servicesAbroad.profile.failing = undefined;
  for (const { seen } of [stage.services, stage.servicesAbroad]) seen.length = 0;
});
const read = (token: string) => ask(stage.url, '/api/profile', { token });
const write = (token: string) => ask(stage.url, '/api/profile', { method: 'PATCH', token, body: { preferences: { theme: 'light' } } });
/** Home has 0.8 s, and a busy machine may miss that. Then the gateway says so, and the person tries again. */
async function answered(status: number, call: () => Promise<Told>): Promise<Told> {
  let told!: Told;
  await until(async () => (told = await call()).status === status && told.body?.copy === undefined, patienceMs);
  return told;
}
const patienceMs = 25_000;
const unreachable = { status: 503, body: { code: 'home_region_unreachable' } };
const view = '/api/profile/recently-viewed/cap';

it('a profile is read and written at home, and nowhere else', async () => {
  const token = us.begin('user');
  await answered(200, () => read(token));
  await answered(200, () => write(token));
  await answered(204, () => ask(stage.url, view, { method: 'PUT', token }));
  expect([...new Set(stage.servicesAbroad.seen.map(({ method }) => method))]).toEqual(['getProfile', 'updateProfile', 'recordView']);
  expect(stage.servicesAbroad.seen[0]!.ctx.identity).toMatchObject({ subject: us.sessionOf(token).view.subject, region: 'us' });
  expect(stage.services.seen).toEqual([]);
});

it('a profile of a person of this region is read here alone', async () => {
  expect((await read(stage.auth.begin('user'))).status).toBe(200);
  expect([stage.services.seen.length, stage.servicesAbroad.seen.length]).toEqual([1, 0]);
});

for (const silence of ['connection_lost', 'unavailable', 'deadline_exceeded'] as const)
  it(`with home out of reach (${silence}) the last answer is shown with its age, and nothing is written`, async () => {
    const [token, unread] = [us.begin('user'), us.begin('user')];
    const { body: before } = await answered(200, () => read(token));
    stage.servicesAbroad.profile.failing = problem(silence);
    const { status, body } = await read(token);
    expect([status, body]).toEqual([200, { ...before, copy: { home: 'us', ageMs: expect.any(Number) } }]);
    expect(body.copy.ageMs).toBeGreaterThanOrEqual(0);
    // Another person's copy is nobody's.
    expect(await read(unread)).toMatchObject(unreachable);
    expect(await write(token)).toMatchObject(unreachable);
    expect(await ask(stage.url, view, { method: 'PUT', token })).toMatchObject(unreachable);
    expect(stage.services.seen).toEqual([]);
  });

it('what home answered to a write is in the copy', async () => {
  const token = us.begin('user');
  await answered(200, () => write(token));
  stage.servicesAbroad.profile.failing = problem('connection_lost');
  expect((await read(token)).body).toMatchObject({ preferences: { theme: 'dark' }, copy: { home: 'us' } });
});

it('a refusal of home is no silence: no copy is shown', async () => {
  const token = us.begin('user');
  await answered(200, () => read(token));
  stage.servicesAbroad.profile.failing = problem('forbidden');
  expect((await answered(403, () => read(token))).body).toMatchObject({ code: 'forbidden' });
});
