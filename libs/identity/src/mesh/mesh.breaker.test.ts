/** Circuit breakers with peers that are really silent: a proxy in front lets all bytes in and none out. */
import { AuthService, isProblem } from '@cloakroom/contracts';
import { openTcpProxy, type TcpProxy, watchCrowd } from '@cloakroom/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import { connectMesh, type MeshConnection, type MeshServer, serveMesh } from '@cloakroom/mesh';
import { newSigner, outgoing, silent, tellingHandlers } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const budgetMs = 300;
let reached: string[];
let server: MeshServer;
let proxy: TcpProxy;
let mesh: MeshConnection<typeof AuthService>;

beforeEach(async () => {
  reached = [];
  server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [tellingHandlers(AuthService, reached)],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock: systemClock }), systemClock),
    clock: systemClock,
    log: silent,
  });
  proxy = await openTcpProxy({ port: server.port, protocol: 'any' });
  mesh = connectMesh(AuthService, { address: `127.0.0.1:${proxy.port}`, tls: undefined, log: silent });
  if (isProblem(await resolve())) throw new Error('the connection does not work');
});
afterEach(async () => {
  mesh.close();
  await server.stop();
  await proxy.close();
});

const resolve = () => mesh.client.resolve(outgoing({ budgetMs }), {});
const codeOf = (answer: unknown) => (isProblem(answer) ? answer.problem : 'ok');
/** @returns how long many calls took together */
async function timeOf(count: number, call: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) await call();
  return performance.now() - startedMs;
}

it('lets three wait for a peer that hangs, and then nobody', async () => {
  proxy.mute();
  for (let i = 0; i < 3; i++) expect(codeOf(await resolve())).toBe('deadline_exceeded');
  expect(await resolve()).toEqual({ problem: 'unavailable', retryAfterS: 1 });
  // A hundred refusals together take less time than one call would have waited.
  const crowd = watchCrowd();
  expect(await timeOf(100, resolve)).toBeLessThan(crowd.roomMs(budgetMs, 50 * budgetMs));
});

it('lets those who come at once wait together, and opens once', async () => {
  proxy.mute();
  const codes = (await Promise.all(Array.from({ length: 20 }, resolve))).map(codeOf);
  expect(new Set(codes)).toEqual(new Set(['deadline_exceeded']));
  expect(codeOf(await resolve())).toBe('unavailable');
});

it('finds out in the background that the peer is back: nobody waits for that either', async () => {
  proxy.mute();
  for (let i = 0; i < 3; i++) await resolve();
  proxy.mend();
  // Bytes sent while the answers were lost are lost. The client may have to connect anew.
  await vi.waitFor(async () => expect(codeOf(await resolve())).toBe('ok'), { timeout: 15_000, interval: 20 });
  const before = reached.length;
  for (let i = 0; i < 20; i++) expect(codeOf(await resolve())).toBe('ok');
  expect(reached).toHaveLength(before + 20);
});

it('stops one class of methods and leaves the others their own', async () => {
  proxy.mute();
  for (let i = 0; i < 3; i++) await resolve();
  expect(codeOf(await resolve())).toBe('unavailable');
  expect(codeOf(await mesh.client.getKeys(outgoing({ budgetMs }), {}))).toBe('unavailable');
  expect(codeOf(await mesh.client.login(outgoing({ budgetMs }), {}))).toBe('deadline_exceeded');
});

it('lets a caller that asks in a loop without a pause find the peer again', async () => {
  proxy.mute();
  for (let i = 0; i < 3; i++) await resolve();
  // The connection lost bytes, so it is of no further use.
  proxy.cut();
  proxy.mend();
  const endMs = performance.now() + 10_000;
  let code = '';
  for (let asked = 0; code !== 'ok' && performance.now() < endMs; asked++) code = codeOf(await resolve());
  expect(code).toBe('ok');
});

it('sends each call once, whatever becomes of it', async () => {
  const before = reached.length;
  proxy.mute();
  expect(codeOf(await mesh.client.login(outgoing({ budgetMs }), {}))).toBe('deadline_exceeded');
  expect(reached).toHaveLength(before + 1);
});
