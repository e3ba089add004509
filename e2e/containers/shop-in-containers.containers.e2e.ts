/** The whole shop on a real engine. The tests run in this order on one stack: each continues with the state that the test before left. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeKeys, pageUrls, servicesOf, type Overlay } from '@cloakroom/infra';
import { expect, newPerson, quantitiesOf, test, type Device, type Person } from '../kit/device.ts';
import { walkJourney } from '../kit/journey.ts';
import { portBase, waitUntilReady } from '../kit/stack.ts';
import {
  compose,
  containerOf,
  docker,
  endShop,
  healthyTimeoutMs,
  inspect,
  killInside,
  npmStart,
  project,
  startTimeoutMs,
  unnamedVolumes,
  untaggedImages,
  type Shop,
} from './containers.ts';

test.describe.configure({ mode: 'serial', timeout: startTimeoutMs + 3 * healthyTimeoutMs });

let shop: Shop;
let person: Person;
let bought: Record<string, number>;
let orderId: string;
let unnamedBefore: string[];
/** The keys of npm start. The second start needs them to read the data of the first. */
const keptKeys = () => composeKeys(portBase);
const newKeys = () =>
  Object.fromEntries(Object.keys({ ...keptKeys(), DATABASE_PASSWORD: '' }).map((name) => [name, randomBytes(32).toString('base64url')]));

test.afterAll(async () => {
  await endShop();
  await compose(['postgres'], newKeys(), 'down', '--volumes', '--remove-orphans');
});

/** A journey as a guest and signed in, over both gateways. It ends with an order and a cart that stays. @returns the content of the cart */
async function journey(device: Device, who: Person, products: readonly string[]): Promise<Record<string, number>> {
  const [first, second, third] = products as [string, string, string];
  expect((await device.register(who)).status).toBe(201);
  expect((await device.insist('POST', '/api/session/logout', {})).status).toBeLessThan(300);
  await walkJourney(device, who, first, second);
  await device.expectCart({ [first]: 2, [second]: 1 }, healthyTimeoutMs);
  const { total } = (await device.call('GET', '/api/cart')).body as { total?: number };
  const placed = await device.checkout(total === undefined ? {} : { expectedTotal: total });
  expect(placed.status, JSON.stringify(placed.body)).toBeLessThan(300);
  orderId = placed.body.orderId as string;
  expect((await device.settledOrder(orderId, healthyTimeoutMs)).status).toBe('placed');
  await device.add(third, 3);
  return quantitiesOf(await device.expectCart({ [third]: 3 }, healthyTimeoutMs));
}

test('npm start -- --infra docker builds one image and serves the shop over both gateways', async ({ newDevice }) => {
  unnamedBefore = await unnamedVolumes();
  const before = await untaggedImages();
  shop = await npmStart('--fresh');
  person = newPerson();
  const device = await newDevice();
  bought = await journey(device, person, await enoughInStock(device));
  for (const service of servicesOf(portBase))
    expect(await inspect(service, '{{.RestartCount}} {{.State.Status}}')).toMatch(/^0 (running|exited)$/);
  // The image of an earlier run lost its name to the image of this run.
  expect((await untaggedImages()).length - before.length, 'images without a name').toBeLessThanOrEqual(1);
});

test('cart’s first start on fresh topics logs no destructuring error', async () => {
  const said = await docker('logs', await containerOf('cart'));
  expect(said).toContain('"msg"');
  expect(said.split('\n').filter((line) => /Cannot destructure/.test(line))).toEqual([]);
});

test('the image that ships can switch no fault on: the SDK, the provider and the Observatory are not in it', async () => {
  const look = `for (const name of ['@openfeature/server-sdk', '@openfeature/core', '@cloakroom/faults', '@cloakroom/observatory', '@cloakroom/mesh'])
    await import(name).then(() => console.log(name, 'is there'), (error) => console.log(name, error.code));`;
  for (const service of ['gateway-1', 'auth']) {
    const container = await containerOf(service);
    const said = await docker('exec', '--workdir', '/app/apps/cart', container, 'node', '--input-type=module', '--eval', look);
    // mesh is the control: it is in the image, so the look can see what is.
    expect(said.split('\n').filter((line) => !line.includes('ERR_MODULE_NOT_FOUND'))).toEqual(['@cloakroom/mesh is there']);
    const files = await docker('exec', container, 'find', '/app', '-type', 'f');
    expect(files).toContain('/app/libs/mesh/dist/');
    // npm needs the manifest of each workspace. A manifest does nothing.
    const suspects = files.split('\n').filter((path) => /openfeature|\/libs\/faults\/|\/apps\/observatory\//.test(path));
    expect(suspects.filter((path) => !path.endsWith('/package.json'))).toEqual([]);
  }
});

test('three containers are killed with -9: each comes back healthy, and nothing is lost', async ({ newDevice }) => {
  const device = await newDevice();
  expect((await device.signIn(person)).status).toBe(200);
  for (const service of ['cart', 'kafka', 'redis-carts', 'gateway-2']) {
    await killInside(service);
    await waitUntilReady();
    await device.expectCart(bought, healthyTimeoutMs);
  }
  const [product] = Object.keys(bought) as [string];
  await device.add(product, 1);
  bought = { ...bought, [product]: bought[product]! + 1 };
  await device.expectCart(bought, healthyTimeoutMs);
  expect((await device.orders()).map((order) => order.orderId)).toEqual([orderId]);
});

test('a stop ends the whole shop: Kafka exits with 0, and no unnamed volume is left', async () => {
  const kafka = await containerOf('kafka');
  // Longer than compose waits: on a busy machine the test is about how Kafka ends, not when.
  await docker('stop', '--time', '60', kafka);
  expect(await docker('inspect', '--format', '{{.State.ExitCode}}', kafka)).toBe('0');
  expect(await shop.stop()).toBe(0);
  expect(await docker('ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${project}`)).toBe('');
  expect(await unnamedVolumes()).toEqual(unnamedBefore);
});

test('docker compose up --wait on kept data knows the person, the cart and the order', async ({ newDevice }) => {
  await compose([], keptKeys(), 'up', '--build', '--wait');
  // The test itself does not wait: --wait has done it.
  const device = await newDevice();
  expect((await device.signIn(person)).status).toBe(200);
  await device.expectCart(bought, healthyTimeoutMs);
  expect((await device.orders()).map((order) => order.orderId)).toEqual([orderId]);
  await compose([], keptKeys(), 'down', '--volumes');
});

test('with PostgreSQL the journey is the same, and Prometheus reads every target and answers each panel’s query', async ({ newDevice }) => {
  const overlays: Overlay[] = ['postgres', 'observability'];
  const keys = newKeys();
  await compose(overlays, keys, 'up', '--build', '--wait', ...servicesOf(portBase), 'postgres', 'prometheus');
  const device = await newDevice();
  await journey(device, newPerson(), await enoughInStock(device));
  const accounts = await docker(
    'exec',
    await containerOf('postgres'),
    'sh',
    '-c',
    'psql --username cloakroom --list --tuples-only --no-align',
  );
  expect(accounts).toMatch(/^auth\|auth\|/m);
  await expectEveryTarget();
  await expectEveryPanel();
  await compose(overlays, keys, 'down', '--volumes');
});

async function enoughInStock(device: Device): Promise<string[]> {
  const { body } = await device.insist('GET', '/api/products?pageSize=50');
  return (body.items as { productId: string; stock: number }[]).filter(({ stock }) => stock >= 15).map(({ productId }) => productId);
}

async function ask(path: string): Promise<{ status: string; data: unknown; error?: string }> {
  const answer = await fetch(`${pageUrls(portBase)['prometheus']}/api/v1/${path}`);
  return (await answer.json()) as { status: string; data: unknown; error?: string };
}

async function expectEveryTarget(): Promise<void> {
  const apps = servicesOf(portBase).filter((name) => !/^(certificates|redis-.*|kafka)$/.test(name));
  const read = async () => {
    const { activeTargets } = (await ask('targets')).data as {
      activeTargets: { labels: { process: string }; health: string; lastError: string }[];
    };
    return activeTargets.map(({ labels, health, lastError }) => `${labels.process} ${health}${lastError}`).toSorted();
  };
  await expect.poll(read, { timeout: healthyTimeoutMs }).toEqual(apps.map((name) => `${name} up`).toSorted());
}

/** A panel about events that did not happen has no data. It is enough that most have data: then the queries fit the metrics. */
async function expectEveryPanel(): Promise<void> {
  const file = join(import.meta.dirname, '..', '..', 'infra', 'observability', 'dashboard.json');
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { panels: { targets: { expr: string }[] }[] };
  const questions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const refused: string[] = [];
  const answered = async () => {
    let withData = 0;
    refused.length = 0;
    for (const question of questions) {
      const { status, data, error } = await ask(`query?query=${encodeURIComponent(question)}`);
      if (status !== 'success') refused.push(`${question}: ${error}`);
      else if ((data as { result: unknown[] }).result.length > 0) withData++;
    }
    return withData;
  };
  await expect.poll(answered, { timeout: healthyTimeoutMs }).toBeGreaterThan(questions.length / 2);
  expect(refused).toEqual([]);
}
