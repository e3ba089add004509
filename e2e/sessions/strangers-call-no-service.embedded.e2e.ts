/** Embedded has no certificates, and its services listen on loopback. Any program on the machine reaches their ports. */
import { AuthService, CatalogService } from '@cloakroom/contracts';
import { callMesh } from '../kit/mesh.ts';
import { expect, test } from '../kit/device.ts';

test('another program on the machine can call no service of an embedded shop, even with a guessed secret', async () => {
  const calls = [
    { service: 'auth', path: `/${AuthService.typeName}/GetKeys` },
    { service: 'auth', path: `/${AuthService.typeName}/RotateKeys` },
    { service: 'catalog', path: `/${CatalogService.typeName}/ListProducts` },
  ] as const;
  for (const call of calls) {
    expect((await callMesh({ ...call, caller: { as: 'nobody' } })).code, call.path).toBe('forbidden');
    expect((await callMesh({ ...call, metadata: { 'x-mesh-secret': 'guessed' } })).code, call.path).toBe('forbidden');
  }
  expect((await callMesh(calls[0])).code, 'with the secret').toBe('ok');
});
