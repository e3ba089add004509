/** The shop of the regions' tests was a shop of one region before. A file keeps the cookies and carts of its people, for the test that looks again. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from '@playwright/test';
import { becomeRegion, endLeftovers, isAlive, readState, startStack, type StackRequest } from '@cloakroom/infra';
import { Device, newPerson, type Person, quantitiesOf } from '../kit/device.ts';
import { dataDir, gateways, waitUntilReady } from '../kit/stack.ts';

type StorageState = Awaited<ReturnType<Awaited<ReturnType<typeof request.newContext>>['storageState']>>;

/** One browser, and what its cart held. */
export interface Left {
  readonly cookies: StorageState;
  readonly cart: Readonly<Record<string, number>>;
}
export interface LeftBehind {
  readonly person: Person;
  /** The same person, with sessions of two kinds. */
  readonly hybrid: Left;
  readonly selfContained: Left;
  readonly guest: Left;
  readonly orderId: string;
}

const oneDir = `${dataDir}-before`;
const triesMax = 40;
const leftFile = `${dataDir}-left.json`;
export const readLeft = (): LeftBehind => JSON.parse(readFileSync(leftFile, 'utf8')) as LeftBehind;

/** Starts a shop of one region, lets people live in it, stops it and makes it the region eu of two, which are not started yet. */
export async function liveInOneRegion(options: Omit<StackRequest, 'provider' | 'dataDir'>): Promise<void> {
  for (const folder of [oneDir, dataDir]) await empty(folder);
  const stack = await startStack({ ...options, provider: 'native', profile: 'usual', dataDir: oneDir });
  try {
    await waitUntilReady();
    writeFileSync(leftFile, JSON.stringify(await live()), { mode: 0o600 });
  } finally {
    await stack.stop();
  }
  becomeRegion(oneDir, dataDir, 'eu');
}

/** A run that was killed may have left processes behind, which only the folder's state names. */
async function empty(folder: string): Promise<void> {
  const earlier = readState(folder);
  if (earlier !== undefined && isAlive(earlier.supervisor)) throw new Error(`a shop runs in ${folder}: end that run first`);
  if (earlier !== undefined) await endLeftovers(earlier);
  rmSync(folder, { recursive: true, force: true });
}

/** Asks again while a busy machine answers that it cannot now. */
async function answered<Told extends { readonly status: number }>(ask: () => Promise<Told>): Promise<Told> {
  let told = await ask();
  for (let tries = 1; told.status >= 500 && tries < triesMax; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    told = await ask();
  }
  return told;
}

async function live(): Promise<LeftBehind> {
  const contexts = await Promise.all([1, 2, 3].map(() => request.newContext()));
  const [first, second, stranger] = contexts.map((context) => new Device(context)) as [Device, Device, Device];
  const { body } = await first.insist('GET', '/api/products?pageSize=50');
  const products = (body as { items: { productId: string; stock: number }[] }).items.filter(({ stock }) => stock >= 15);
  const [bought, kept, wanted] = products.map(({ productId }) => productId) as [string, string, string];
  let person = newPerson();
  const expectStatus = (what: string, { status }: { readonly status: number }, wantedStatus: number) => {
    if (status !== wantedStatus) throw new Error(`${gateways[0]} answers ${what} with ${status}`);
  };
  expectStatus('the sign-up', await answered(() => first.register((person = newPerson()))), 201);
  await first.add(bought, 2);
  await first.expectCart({ [bought]: 2 });
  const placed = await first.checkout();
  expectStatus('the order', placed, 201);
  const { orderId } = placed.body as { orderId: string };
  await first.settledOrder(orderId);
  await first.add(kept, 3);
  const cart = quantitiesOf(await first.expectCart({ [kept]: 3 }));
  expectStatus('the sign-in', await answered(() => second.signIn(person, 'jwt-denylist')), 200);
  await stranger.add(wanted);
  const guestCart = quantitiesOf(await stranger.expectCart({ [wanted]: 1 }));
  const [hybrid, selfContained, guest] = await Promise.all(contexts.map((context) => context.storageState()));
  await Promise.all(contexts.map((context) => context.dispose()));
  return {
    person,
    orderId,
    hybrid: { cookies: hybrid!, cart },
    selfContained: { cookies: selfContained!, cart },
    guest: { cookies: guest!, cart: guestCart },
  };
}
