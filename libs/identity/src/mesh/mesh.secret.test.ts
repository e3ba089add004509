/** The callers of services without certificates, as in embedded mode. */
import { AuthService, CartService, isProblem } from '@cloakroom/contracts';
import { afterEach, expect, it, vi } from 'vitest';
import { connectMesh, guardMesh, serveMesh } from '@cloakroom/mesh';
import { newSigner, outgoing, silent, tellingHandlers, movableClock } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it('refuses a stranger on the machine, also for rpcs of the operator, and lets in the process itself and who knows the secret of this start', async () => {
  const reached: string[] = [];
  const clock = movableClock();
  closing.push(guardMesh('of this start'));
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [tellingHandlers(AuthService, reached), tellingHandlers(CartService, reached)],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock }), clock),
    clock,
    log: silent,
  });
  closing.push(() => server.stop());
  const rotate = async (secret?: string) => {
    const address = `localhost:${server.port}`;
    const { client, close } = connectMesh(AuthService, { address, tls: undefined, log: silent, ...(secret !== undefined && { secret }) });
    closing.push(close);
    const answer = await client.rotateKeys(outgoing(), {});
    return isProblem(answer) ? answer.problem : 'ok';
  };
  // A stranger has another secret, or the one of an earlier start, or none.
  expect(await rotate('of an earlier start')).toBe('forbidden');
  expect(await rotate('')).toBe('forbidden');
  expect(reached).toEqual([]);
  expect(await rotate('of this start')).toBe('ok');
  expect(await rotate()).toBe('ok');
  expect(reached).toEqual(['cloakroom.auth.v1.AuthService/RotateKeys', 'cloakroom.auth.v1.AuthService/RotateKeys']);
});

it.each([
  ['a secret', 'of this start', /only this process and those who know its secret may call/],
  ['none', undefined, /whoever reaches this port may call any method/],
])('says at its start without TLS and with %s who may call', async (_, secret, words) => {
  if (secret !== undefined) closing.push(guardMesh(secret));
  const warn = vi.fn<(about: object, words: string) => void>();
  const clock = movableClock();
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [],
    admission: openAdmission(createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock }), clock),
    clock,
    log: { ...silent, warn } as unknown as typeof silent,
  });
  closing.push(() => server.stop());
  expect(warn).toHaveBeenCalledExactlyOnceWith({ service: 'auth' }, expect.stringMatching(words));
});
