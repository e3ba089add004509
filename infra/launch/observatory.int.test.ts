/** The Observatory beside a real shop in one process: what somebody does there shows here, and nothing that happens here shows there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidV7 } from '@cloakroom/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { portsOf } from '../stack/stack.ts';
import { startStack, type RunningStack } from './harness.ts';

const base = 26_900;
const patience = { timeout: 30_000, interval: 100 };
let dataDir: string;
let stack: RunningStack;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cloakroom-observatory-'));
  stack = await startStack({ provider: 'embedded', base, dataDir, fresh: true, telemetry: {}, observatory: true });
  // It comes up after the shop, which does not wait for it.
  await stack.process('observatory').waitUntilReplaced(-1);
});
afterAll(async () => {
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

interface Summary {
  readonly traceId: string;
  readonly name: string;
  readonly status: number;
}

async function ask<Body>(path: string, key = stack.observatory?.pageKey): Promise<Body> {
  const answer = await fetch(`http://127.0.0.1:${portsOf(base).observatory}${path}`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Body;
}

/** @returns the trace id that the answer names */
async function beginGuest(): Promise<string> {
  const headers = { 'content-type': 'application/json', origin: stack.gateways[0] };
  const answer = await fetch(`${stack.gateways[0]}/api/session/guest`, { method: 'POST', headers, body: '{}' });
  expect(answer.status).toBe(201);
  return answer.headers.get('traceresponse')!.split('-')[1]!;
}

/** Spans leave a process once a second. */
const shown = (traceId: string) =>
  vi.waitFor(async () => {
    const found = (await ask<Summary[]>('/api/requests')).find((one) => one.traceId === traceId);
    expect(found).toBeDefined();
    return found!;
  }, patience);

it('shows a request of the shop, whole', async () => {
  const traceId = await beginGuest();
  expect(await shown(traceId)).toMatchObject({ name: 'POST /api/session/guest', status: 201 });
  const view = await vi.waitFor(async () => {
    const told = await ask<{ spans: { name: string }[]; lanes: { kind: string }[] }>(`/api/requests/${traceId}`);
    expect(told.spans.length).toBeGreaterThan(2);
    return told;
  }, patience);
  expect(view.spans.map(({ name }) => name)).toContain('cloakroom.auth.v1.AuthService/CreateGuest');
  expect(view.lanes.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['gateway', 'service']));
});

it('shows the stack with the process of the shop and its memory', async () => {
  const { processes } = await ask<{ processes: { name: string; pid: number; memoryBytes?: number; note?: string }[] }>('/api/stack');
  expect(processes.map(({ name }) => name)).toEqual(['cloakroom', 'observatory']);
  expect(processes[0]).toMatchObject({ pid: stack.process('cloakroom').pid(), note: expect.stringContaining('one process') });
});

it('shows the log of a guest’s cart, folded by cart’s own rules', async () => {
  const page = (await (await fetch(`${stack.gateways[0]}/api/products`)).json()) as { items: { productId: string }[] };
  const added = await fetch(`${stack.gateways[0]}/api/cart/lines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: stack.gateways[0] },
    body: JSON.stringify({
      commandId: uuidV7(Date.now(), randomBytes(10)),
      productId: page.items[0]!.productId,
      options: {},
      quantity: 2,
    }),
  });
  expect([added.status, await added.text()]).toEqual([202, expect.any(String)]);
  const cookie = added.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const { cartId } = (await (await fetch(`${stack.gateways[0]}/api/session`, { headers: { cookie } })).json()) as { cartId: string };
  const log = await ask<{ steps: { traceId?: string; event: { type: string }; after: { lines: { quantity: number }[] } }[] }>(
    `/api/carts/${cartId}`,
  );
  expect(log.steps.map(({ event }) => event.type)).toEqual(['ItemAdded']);
  expect(log.steps[0]?.after.lines.map(({ quantity }) => quantity)).toEqual([2]);
  expect(log.steps[0]?.traceId).toBe(added.headers.get('traceresponse')!.split('-')[1]);
});

it('the shop serves while the Observatory is dead, and what it does afterwards is shown again', async () => {
  const observatory = stack.process('observatory');
  const shop = stack.process('cloakroom').pid();
  await observatory.takeAway();
  await beginGuest();
  await observatory.giveBack();
  expect(await shown(await beginGuest())).toMatchObject({ status: 201 });
  expect(stack.process('cloakroom').pid()).toBe(shop);
});

it('the shop serves while the Observatory is stopped', async () => {
  const observatory = stack.process('observatory');
  expect(observatory.kill('SIGSTOP')).toBe(true);
  try {
    for (let count = 0; count < 10; count++) await beginGuest();
  } finally {
    observatory.kill('SIGCONT');
  }
});
