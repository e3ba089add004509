/** Services without certificates, as in embedded: who may call them. */
import { AuthService, CartService, isProblem } from '@cloakroom/contracts';
import { afterEach, expect, it } from 'vitest';
import { connectMesh } from './grpc-client.ts';
import { serveMesh } from './grpc-server.ts';
import { guardMesh } from './mesh-secret.ts';
import { newSigner, outgoing, silent, tellingHandlers, movableClock } from './mesh.fixture.ts';
import { createPassportVerifier } from './passport.ts';

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
    verifier: createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock }),
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
  // What a stranger has: another secret, or the one of an earlier start, or none.
  expect(await rotate('of an earlier start')).toBe('forbidden');
  expect(await rotate('')).toBe('forbidden');
  expect(reached).toEqual([]);
  expect(await rotate('of this start')).toBe('ok');
  expect(await rotate()).toBe('ok');
  expect(reached).toEqual(['cloakroom.auth.v1.AuthService/RotateKeys', 'cloakroom.auth.v1.AuthService/RotateKeys']);
});
