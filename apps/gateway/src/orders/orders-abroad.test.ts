/** A gateway of the region "local", and people whose home is the region "us". */
import { randomBytes } from 'node:crypto';
import { problem, uuidV7 } from '@cloakroom/contracts';
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
  Object.assign(stage.servicesAbroad.orders, { failing: undefined, previewFailing: undefined });
  for (const { seen } of [stage.services, stage.servicesAbroad]) seen.length = 0;
});

const newId = (): string => uuidV7(Date.now(), randomBytes(10));
const place = (token: string, key = newId()) =>
  ask(stage.url, '/api/orders', { method: 'POST', token, body: { addressId: 'home', seen: 's' }, headers: { 'idempotency-key': key } });
const preview = (token: string) => ask(stage.url, '/api/orders/preview', { method: 'POST', token, body: { seen: 's' } });
const list = (token: string) => ask(stage.url, '/api/orders', { token });
/** Home has a second for its answers, and a busy machine may miss that. Then the gateway says so, and the person tries again. */
async function answered(status: number, call: () => Promise<Told>): Promise<Told> {
  let told!: Told;
  await until(async () => (told = await call()).status === status, patienceMs);
  return told;
}
const patienceMs = 25_000;
const unreachable = { status: 503, body: { code: 'home_region_unreachable' } };

it('an order is placed, shown and read at home, once for its key, and nowhere else', async () => {
  const token = us.begin('user');
  const key = newId();
  await answered(200, () => preview(token));
  const { body } = await answered(201, () => place(token, key));
  expect((await answered(201, () => place(token, key))).body.orderId).toBe(body.orderId);
  expect((await answered(200, () => list(token))).body.items).toHaveLength(1);
  await answered(200, () => ask(stage.url, `/api/orders/${body.orderId}`, { token }));
  expect([...new Set(stage.servicesAbroad.seen.map(({ method }) => method))]).toEqual([
    'previewOrder',
    'placeOrder',
    'listOrders',
    'getOrder',
  ]);
  expect(stage.servicesAbroad.seen[0]!.ctx.identity).toMatchObject({ subject: us.sessionOf(token).view.subject, region: 'us' });
  expect(stage.services.seen).toEqual([]);
});

it('an order of a person of this region is placed here alone', async () => {
  expect((await place(stage.auth.begin('user'))).status).toBe(201);
  expect([stage.services.seen.length, stage.servicesAbroad.seen.length]).toEqual([1, 0]);
});

it('with home out of reach an order is refused before anything is asked, and its key has ordered nothing', async () => {
  const token = us.begin('user');
  us.failing = problem('connection_lost');
  expect(await place(token)).toMatchObject(unreachable);
  expect([...stage.services.seen, ...stage.servicesAbroad.seen]).toEqual([]);
});

it('an order whose answer was lost on the way from home may have been taken, and is never told as refused', async () => {
  const token = us.begin('user');
  stage.servicesAbroad.orders.failing = problem('deadline_exceeded');
  await until(async () => (await place(token)).body.code === 'outcome_unknown', patienceMs);
  expect(await list(token)).toMatchObject(unreachable);
  expect(stage.services.seen).toEqual([]);
});

it('a home that waits for its copy of the cart says so itself: it is not out of reach, and has ordered nothing', async () => {
  const token = us.begin('user');
  const waits = problem('unavailable', 'The cart is being brought up to date.', 1);
  Object.assign(stage.servicesAbroad.orders, { failing: waits, previewFailing: waits });
  for (const call of [preview, place]) await until(async () => (await call(token)).body.detail === waits.detail, patienceMs);
  expect(await place(token)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
});

it('a live page hears of orders from home', async () => {
  const leave = new AbortController();
  const headers = { cookie: `__Host-session=${us.begin('user')}` };
  const open = () => fetch(`${stage.url}/api/events`, { headers, signal: leave.signal });
  await until(async () => (await open()).status === 200, patienceMs);
  const watches = ({ seen }: Stage['services']) => seen.filter(({ method }) => method === 'watchOrders').length;
  await until(() => watches(stage.servicesAbroad) > 0, patienceMs);
  expect(watches(stage.services)).toBe(0);
  leave.abort();
});

it('a preview says which regions are not heard, and whose cart may still change there', async () => {
  const token = stage.auth.begin('user');
  await until(async () => (await preview(token)).body.unheard === undefined, patienceMs);
  stage.relayAbroad.stopBeating();
  await until(async () => (await preview(token)).body.unheard?.[0] === 'us', patienceMs);
  stage.relayAbroad.startBeating();
  await until(async () => (await preview(token)).body.unheard === undefined, patienceMs);
});
