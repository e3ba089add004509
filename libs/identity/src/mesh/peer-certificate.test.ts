import { TLSSocket } from 'node:tls';
import { AuthService, isProblem, problem } from '@cloakroom/contracts';
import { afterEach, expect, it, vi } from 'vitest';
import { connectMesh, type Rpcs, implement, serveMesh } from '@cloakroom/mesh';
import { certificates, movableClock, newSigner, outgoing, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const clock = movableClock();
const tlsOf = await certificates(['gateway', 'cart', 'auth', 'profile']);
const open: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of open.splice(0).reverse()) await close();
});

async function serveKeys(): Promise<number> {
  const handlers = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve(problem('not_found'))]));
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: await tlsOf('auth'),
    services: [
      implement(AuthService, { ...handlers, getKeys: () => Promise.resolve({ jwks: '{}' }) } as unknown as Rpcs<typeof AuthService>),
    ],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock }), clock),
    clock,
    log: silent,
  });
  open.push(() => server.stop());
  return server.port;
}

async function connectAs(name: string, port: number) {
  const connection = connectMesh(AuthService, { address: `localhost:${port}`, tls: await tlsOf(name), log: silent });
  open.push(() => connection.close());
  return connection.client;
}

it('is read from OpenSSL once a connection, not once a call', async () => {
  const read = vi.spyOn(TLSSocket.prototype, 'getPeerCertificate');
  const client = await connectAs('gateway', await serveKeys());
  for (let call = 0; call < 5; call++) expect(await client.getKeys(outgoing(), {})).toMatchObject({ jwks: '{}' });
  // The client reads the server's certificate once, and the server the client's. More reads would mean one read a call.
  const byServer = read.mock.contexts.filter((socket) => (socket as TLSSocket & { server?: unknown }).server !== undefined);
  expect(byServer).toHaveLength(1);
});

it('belongs to its connection alone: each of two callers is taken for itself', async () => {
  const port = await serveKeys();
  const [gateway, stranger] = [await connectAs('gateway', port), await connectAs('auth', port)];
  for (let round = 0; round < 3; round++) {
    expect(isProblem(await gateway.getKeys(outgoing(), {}))).toBe(false);
    expect(await stranger.resolve(outgoing(), { token: 't', audience: 'cart', touch: false })).toMatchObject({ problem: 'forbidden' });
    expect(await gateway.resolve(outgoing(), { token: 't', audience: 'cart', touch: false })).toMatchObject({ problem: 'not_found' });
  }
});
