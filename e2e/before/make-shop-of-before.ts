/**
 * Makes the data of an older build anew. A person does, whose newest builds left another format behind:
 *
 *   git worktree add ../older COMMIT
 *   (cd ../older && npm ci && npx nx run-many -t build)
 *   CLOAKROOM_E2E_PROVIDER=native node e2e/before/make-shop-of-before.ts ../older
 */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { request } from '@playwright/test';
import type { Order } from '@cloakroom/contracts/http';
import type { startStack } from '@cloakroom/infra';
import { Device, newCommandId, newPersonOf, quantitiesOf } from '../kit/device.ts';
import { oneTimeCodeOf } from '../kit/one-time-code.ts';
import { gateways, portBase, waitUntilReady } from '../kit/stack.ts';
import { keep, type ShopOfBefore } from './shop-of-before.ts';

/** More than cart has in its log before it writes a snapshot. */
const changes = 110;

const [older = ''] = process.argv.slice(2).map((path) => resolve(path));
const infra = (await import(join(older, 'infra/index.ts'))) as { startStack: typeof startStack };
const dataDir = join(older, '.cloakroom', 'shop-of-before');
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: older, encoding: 'utf8' }).trim();

const stack = await infra.startStack({ provider: 'native', base: portBase, dataDir, fresh: true });
let people: Pick<ShopOfBefore, 'robin' | 'kim' | 'guest'>;
try {
  await waitUntilReady();
  people = await live();
} finally {
  await stack.stop();
}
const about = 'People of the shop in shop-of-before.tar.gz (shop-of-before.ts). Its passwords, cookies and keys are of this test alone.';
keep(dataDir, { about, commit, stoppedAtMs: Date.now(), ...people });

async function live(): Promise<typeof people> {
  const contexts = await Promise.all(Array.from({ length: 5 }, () => request.newContext()));
  const [phone, laptop, tablet, app, stranger] = contexts.map((context) => new Device(context)) as [Device, Device, Device, Device, Device];
  const { body } = await phone.insist('GET', '/api/products?pageSize=50');
  const products = (body as { items: { productId: string; stock: number }[] }).items.filter(({ stock }) => stock >= 15);
  const [bought, kept, wanted, refused] = products.map(({ productId }) => productId) as [string, string, string, string];

  const robin = newPersonOf('eu');
  expectStatus(await phone.register(robin), 201);
  const profileName = 'Robin of Before';
  await phone.insist('PATCH', '/api/profile', { name: profileName });
  const addressId = await phone.addressId();
  await phone.add(refused);
  await phone.expectCart({ [refused]: 1 });
  await phone.checkout({ addressId, paymentMethod: 'card_declined' });
  const [{ orderId: cancelled }] = (await phone.orders()) as [Order];
  await phone.insist('DELETE', '/api/cart', { commandId: newCommandId(), seen: (await phone.cart()).seen });
  await phone.add(bought, 2);
  await phone.expectCart({ [bought]: 2 });
  const placed = await phone.checkout({ addressId });
  const { orderId } = placed.body as Order;
  await phone.settledOrder(orderId);
  await phone.expectCart({});
  await phone.add(kept);
  await setOften(phone, kept);
  // A guest's cart joins at the sign-in.
  await laptop.add(kept, 2);
  await laptop.add(wanted);
  await laptop.expectCart({ [kept]: 2, [wanted]: 1 });
  expectStatus(await laptop.signIn(robin, 'jwt-denylist'), 200);
  expectStatus(await tablet.signIn(robin), 200);
  const ended = await contexts[2]!.storageState();
  const { body: devices } = await tablet.insist('GET', '/api/session/devices');
  const { handle } = (devices as { handle: string; current: boolean }[]).find(({ current }) => current)!;
  expectStatus(await phone.insist('DELETE', `/api/session/devices/${handle}`), 204);

  const kim = newPersonOf('us');
  expectStatus(await app.register(kim), 201);
  const { secret } = (await app.insist('POST', '/api/session/factors/totp')).body as { secret: string };
  const { recoveryCodes } = (await app.insist('PUT', '/api/session/factors/totp', { code: oneTimeCodeOf(secret) })).body as {
    recoveryCodes: string[];
  };
  await app.add(wanted, 4);
  const kimsCart = quantitiesOf(await app.expectCart({ [wanted]: 4 }));
  expectStatus(await app.insist('POST', '/api/session/logout'), 204);

  await stranger.add(wanted, 2);
  await stranger.add(kept);
  const guestsCart = quantitiesOf(await stranger.expectCart({ [wanted]: 2, [kept]: 1 }));
  const cart = quantitiesOf(await phone.cart());
  const [hybrid, selfContained, , , guest] = await Promise.all(contexts.map((context) => context.storageState()));
  await Promise.all(contexts.map((context) => context.dispose()));
  return {
    robin: {
      ...robin,
      hybrid: hybrid!,
      selfContained: selfContained!,
      ended,
      cart,
      placed: orderId,
      cancelled,
      profileName,
      city: 'Vienna',
    },
    kim: { ...kim, totpSecret: secret, recoveryCode: recoveryCodes[0]!, cart: kimsCart },
    guest: { cookies: guest!, cart: guestsCart },
  };
}

/** Ends with three pieces, and with a snapshot behind it. */
async function setOften(device: Device, productId: string): Promise<void> {
  for (let change = changes; change >= 0; change--) {
    const { lines } = await device.cart();
    const { lineId, seen } = lines.find((line) => line.productId === productId)!;
    const body = { commandId: newCommandId(), quantity: 3 + (change % 3), seen };
    expectStatus(await device.insist('PUT', `/api/cart/lines/${lineId}`, body), 202);
  }
  await device.expectCart({ [productId]: 3 });
}

function expectStatus({ status, body }: { readonly status: number; readonly body: unknown }, wanted: number): void {
  if (status !== wanted) throw new Error(`${gateways[0]} answers ${status}, not ${wanted}: ${JSON.stringify(body)}`);
}
