/** Several replicas behind one client, over real mutual TLS: which one gets a call while another is dead, silent, back again or an impostor. */
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { isProblem, problem, ProfileService } from '@cloakroom/contracts';
import { afterEach, expect, it, vi } from 'vitest';
import { connectMesh, type Rpcs, implement, serveMesh } from '@cloakroom/mesh';
import { certificates, movableClock, newSigner, outgoing, passportOf, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const signer = newSigner();
const clock = movableClock();
const tlsOf = await certificates(['gateway', 'profile', 'catalog']);
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const unused = () => Promise.resolve(problem('not_found'));

async function replica(name: string, reached: string[], options: { port?: number; as?: string } = {}) {
  const getProfile: Rpcs<typeof ProfileService>['getProfile'] = () => {
    reached.push(name);
    return Promise.resolve({});
  };
  const server = await serveMesh({
    name: 'profile',
    port: options.port ?? 0,
    tls: await tlsOf(options.as ?? 'profile'),
    services: [implement(ProfileService, { getProfile, updateProfile: unused, recordView: unused })],
    admission: openAdmission(createPassportVerifier({ audience: 'profile', keys: signer.ring, clock }), clock),
    clock,
    log: silent,
  });
  open.push(() => server.stop());
  return server;
}

async function clientOf(...ports: readonly number[]) {
  const address = ports.map((port) => `localhost:${port}`).join(',');
  const { client, close } = connectMesh(ProfileService, { address, tls: await tlsOf('gateway'), log: silent });
  open.push(close);
  return async (budgetMs = 3_000) => {
    const answer = await client.getProfile(outgoing({ budgetMs, passport: passportOf(signer, 'profile', 'guest', clock.nowMs()) }), {});
    return isProblem(answer) ? answer.problem : 'ok';
  };
}

/** A port on which nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A proxy before a replica. It takes connections and bytes for ever, as the kernel does for a stopped process. While paused it passes nothing on. */
async function pausable(port: number) {
  let paused = false;
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connectTcp({ port, host: '127.0.0.1' });
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on('data', (bytes) => paused || other.write(bytes));
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, pause: () => (paused = true) };
}

/** Calls until both have been reached: then both are connected. */
async function untilBothServe(call: () => Promise<string>, reached: string[]): Promise<void> {
  await vi.waitFor(async () => {
    expect(await call()).toBe('ok');
    expect(new Set(reached).size).toBe(2);
  });
  reached.length = 0;
}

it('gives the replicas their calls in turn', async () => {
  const reached: string[] = [];
  const [one, two] = [await replica('one', reached), await replica('two', reached)];
  const call = await clientOf(one.port, two.port);
  await untilBothServe(call, reached);
  for (let count = 0; count < 10; count++) expect(await call()).toBe('ok');
  expect(reached.filter((name) => name === 'one')).toHaveLength(5);
});

it('gives what comes at once to the replica with less under way', async () => {
  const reached: string[] = [];
  const [one, two] = [await replica('one', reached), await replica('two', reached)];
  const call = await clientOf(one.port, two.port);
  await untilBothServe(call, reached);
  await Promise.all(Array.from({ length: 20 }, () => call()));
  expect(reached.filter((name) => name === 'one')).toHaveLength(10);
});

it('answers every call, the first included, while one replica is not there', async () => {
  const reached: string[] = [];
  const there = await replica('there', reached);
  for (const ports of [
    [await deadPort(), there.port],
    [there.port, await deadPort()],
  ]) {
    const call = await clientOf(...ports);
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => call()));
    for (let count = 0; count < 6; count++) outcomes.push(await call());
    expect(outcomes).toEqual(outcomes.map(() => 'ok'));
  }
  expect(reached).toHaveLength(20);
});

it('says connection_lost at once when no replica is there', async () => {
  const call = await clientOf(await deadPort(), await deadPort());
  expect(await call(10_000)).toBe('connection_lost');
});

it('goes on with the others when a replica ends, and uses it again once it is back', async () => {
  const reached: string[] = [];
  const [one, two] = [await replica('one', reached), await replica('two', reached)];
  const call = await clientOf(one.port, two.port);
  await untilBothServe(call, reached);
  await one.stop();
  for (let count = 0; count < 10; count++) expect(await call()).toBe('ok');
  expect(reached).toEqual(Array.from({ length: 10 }, () => 'two'));
  await replica('one', reached, { port: one.port });
  await vi.waitFor(
    async () => {
      expect(await call()).toBe('ok');
      expect(reached).toContain('one');
    },
    { timeout: 5_000 },
  );
});

it('loses one call to a silent replica, not every other one', async () => {
  const reached: string[] = [];
  const [one, two] = [await replica('one', reached), await replica('two', reached)];
  const proxy = await pausable(one.port);
  const call = await clientOf(proxy.port, two.port);
  await untilBothServe(call, reached);
  proxy.pause();
  const outcomes: string[] = [];
  for (let count = 0; count < 20; count++) outcomes.push(await call(400));
  expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual(['deadline_exceeded']);
  expect(reached).toEqual(Array.from({ length: 19 }, () => 'two'));
});

it('gives new calls to the other replica while one waits for a silent one', async () => {
  const reached: string[] = [];
  const [one, two] = [await replica('one', reached), await replica('two', reached)];
  const proxy = await pausable(one.port);
  const call = await clientOf(proxy.port, two.port);
  await untilBothServe(call, reached);
  proxy.pause();
  const caught = [call(1_500), call(1_500)];
  // Once one is answered, the silent replica alone has a call under way. Equal ones would take turns.
  expect(await Promise.race(caught)).toBe('ok');
  for (let count = 0; count < 10; count++) expect(await call(1_500)).toBe('ok');
  expect((await Promise.all(caught)).toSorted()).toEqual(['deadline_exceeded', 'ok']);
});

it('never calls a replica whose certificate is another service’s', async () => {
  const reached: string[] = [];
  const [right, wrong] = [await replica('right', reached), await replica('wrong', reached, { as: 'catalog' })];
  const call = await clientOf(wrong.port, right.port);
  for (let count = 0; count < 10; count++) expect(await call()).toBe('ok');
  expect(reached).toEqual(Array.from({ length: 10 }, () => 'right'));
});
