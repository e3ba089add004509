import { AuthService, isProblem } from '@cloakroom/contracts';
import { afterEach, expect, it, vi } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import { connectMesh, type Rpcs, implement, type MeshServer, openLoadShedder, serveMesh } from '@cloakroom/mesh';
import { newSigner, outgoing, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** A service whose sign-ins hang until they are released, and that may have ten calls at once. */
async function stage() {
  const gate = Promise.withResolvers<void>();
  const shedder = openLoadShedder({ inFlightMax: 10, loopLagMaxMs: 1_000 }, () => 0);
  const handlers = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]));
  const login = async () => (await gate.promise, {});
  const server: MeshServer = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [implement(AuthService, { ...handlers, login } as unknown as Rpcs<typeof AuthService>)],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock: systemClock }), systemClock),
    clock: systemClock,
    log: silent,
    shedder,
  });
  const mesh = connectMesh(AuthService, { address: `127.0.0.1:${server.port}`, tls: undefined, log: silent });
  stops.push(
    () => server.stop(),
    () => mesh.close(),
  );
  return { client: mesh.client, shedder, release: () => gate.resolve() };
}

it('refuses sign-ins before it refuses to say who somebody is, and says when to come again', async () => {
  const { client, shedder, release } = await stage();
  const hanging = Array.from({ length: 9 }, () => client.login(outgoing(), {}));
  await vi.waitFor(() => expect(shedder.inFlight).toBe(9));
  expect(await client.login(outgoing(), {})).toEqual({ problem: 'unavailable', retryAfterS: 1 });
  expect(isProblem(await client.resolve(outgoing(), {}))).toBe(false);
  release();
  expect((await Promise.all(hanging)).some(isProblem)).toBe(false);
  expect(isProblem(await client.login(outgoing(), {}))).toBe(false);
  await vi.waitFor(() => expect(shedder.inFlight).toBe(0));
});

it('counts a call until its handler is done, not until its caller has gone', async () => {
  const { client, shedder, release } = await stage();
  await client.login(outgoing({ budgetMs: 50 }), {});
  expect(shedder.inFlight).toBe(1);
  release();
  await vi.waitFor(() => expect(shedder.inFlight).toBe(0));
});

it('opens no circuit breaker by what it refuses', async () => {
  const { client, shedder, release } = await stage();
  const hanging = Array.from({ length: 9 }, () => client.login(outgoing(), {}));
  await vi.waitFor(() => expect(shedder.inFlight).toBe(9));
  for (let i = 0; i < 20; i++) await client.login(outgoing(), {});
  release();
  await Promise.all(hanging);
  expect(isProblem(await client.login(outgoing(), {}))).toBe(false);
});
