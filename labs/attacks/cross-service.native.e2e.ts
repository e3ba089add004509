/** Group C inside the mesh: a stolen passport or certificate works at one service and at no other. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevelopmentCa } from '@cloakroom/mesh';
import { AuthService, ResolveRequestSchema } from '@cloakroom/contracts';
import { expect, test } from '../../e2e/kit/device.ts';
import { callMesh, cartPath, encoded, passportFor, profilePath, shownTo, type Caller } from '../../e2e/kit/mesh.ts';
import type { ServiceName } from '../../infra/stack/stack.ports.ts';
import { signedIn } from '../../e2e/kit/person.ts';

const productsPath = '/cloakroom.catalog.v1.CatalogService/ListProducts';
const devicesPath = `/${AuthService.typeName}/ListDevices`;
const ordersPath = '/cloakroom.orders.v1.OrdersService/Watch';
const doors: Readonly<Record<ServiceName, string>> = {
  auth: devicesPath,
  cart: cartPath,
  profile: profilePath,
  catalog: productsPath,
  orders: ordersPath,
};

test('C20 a passport for one service is refused by every other, also where none is needed', async () => {
  const { token } = await signedIn();
  const services = Object.keys(doors) as ServiceName[];
  for (const audience of ['auth', 'cart', 'profile'] as const) {
    const passport = await passportFor(token, audience);
    for (const service of services) {
      const { code } = await callMesh({ service, path: doors[service], metadata: { 'x-passport': passport } });
      if (service === audience) expect(code, `${audience} takes its own`).toBe('ok');
      else expect(code, `${audience} -> ${service}`).toBe('invalid_passport');
    }
  }
});

test('C21 a service with its own certificate and somebody’s passport may call only what its contract names', async () => {
  const { token } = await signedIn();
  const passport = await passportFor(token, 'profile');
  for (const as of ['catalog', 'auth']) {
    for (const service of ['cart', 'profile'] as const)
      expect(
        (await callMesh({ service, path: doors[service], caller: { as }, metadata: { 'x-passport': passport } })).code,
        `${as} -> ${service}`,
      ).toBe('forbidden');
  }
  const message = encoded(ResolveRequestSchema, { token, audience: 'profile', touch: false });
  for (const as of ['cart', 'profile', 'catalog'])
    expect(
      (await callMesh({ service: 'auth', path: `/${AuthService.typeName}/Resolve`, caller: { as }, message })).code,
      `${as} resolves`,
    ).toBe('forbidden');
  for (const as of ['gateway', 'cart', 'catalog'])
    expect(
      (await callMesh({ service: 'auth', path: `/${AuthService.typeName}/RotateKeys`, caller: { as } })).code,
      `${as} rotates keys`,
    ).toBe('forbidden');
});

test('C22 no caller reaches a service without a certificate of this mesh, and a certificate alone identifies no person', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'stranger-'));
  try {
    await createDevelopmentCa(dir, ['gateway']);
    const read = (name: string) => readFileSync(join(dir, name), 'utf8');
    const stranger: Caller = { as: 'gateway', tls: { cert: read('gateway.pem'), key: read('gateway.key') } };
    for (const service of Object.keys(doors) as ServiceName[]) {
      const path = doors[service];
      expect((await callMesh({ service, path, caller: { as: 'nobody' } })).code, `${service}, no certificate`).toBe('no connection');
      expect((await callMesh({ service, path, caller: stranger })).code, `${service}, another authority’s`).toBe('no connection');
    }
    expect((await callMesh({ service: 'cart', path: cartPath })).code).toBe('session_required');
    expect((await callMesh({ service: 'profile', path: profilePath })).code).toBe('session_required');
    expect((await callMesh({ service: 'auth', path: devicesPath })).code).toBe('sign_in_required');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('C22 a sensitive method takes no passport that is older than 2 s, however long it is valid', async () => {
  const { token } = await signedIn();
  const passport = await passportFor(token, 'auth');
  const show = async () => (await callMesh({ service: 'auth', path: devicesPath, metadata: { 'x-passport': passport } })).code;
  expect(await show()).toBe('ok');
  await expect.poll(show, { timeout: 4_000 }).toBe('invalid_passport');
  expect(await shownTo('cart', await passportFor(token, 'cart'))).toBe('ok');
});
