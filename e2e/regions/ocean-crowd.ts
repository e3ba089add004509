/** The people of one side in one test of the ocean's table. They are gathered while all is well, and meet the gateway of that side just before the fault. */
import { failureOperations as operations } from '@cloakroom/contracts';
import { addition, quantityOf, untilRegistered } from '../failures/crowd.ts';
import { type Seen, Visitor } from '../failures/visitor.ts';
import { expect, newCommandId, newPersonOf, type Person } from '../kit/device.ts';
import { gateways, strictGateway } from '../kit/stack.ts';
import { type Region, regions } from '../failures/ocean-matrix.ts';

export const gatewayOf: Readonly<Record<Region, string>> = { eu: gateways[0], us: gateways[1] };
export const otherThan = (region: Region): Region => regions.find((one) => one !== region)!;
/** Waits while a starved machine gets on. */
const patienceMs = 120_000;

export interface OceanCrowd {
  readonly here: Region;
  readonly gateway: string;
  readonly product: string;
  /** Both live here. `local` has an address. */
  readonly guest: Visitor;
  readonly local: Visitor;
  readonly localPerson: Person;
  readonly localAddress: string;
  /** All of these live on the other side. `known` meets this side with its cart and profile. */
  readonly foreigner: Person;
  readonly known: Visitor;
  readonly knownAddress: string;
  readonly unseen: Visitor;
  /** Meets this side with its cart alone. */
  readonly unread: Visitor;
  /** Two devices of one more person. The second one meets this side, and home is about to end it for the first one. */
  readonly ender: Visitor;
  readonly ending: Visitor;
  readonly leaving: Visitor;
  /** A copy of `known` at the strict gateway, which is in us; undefined in eu. */
  readonly strict: Visitor | undefined;
}

const address = { name: 'Ada', line1: '1 Lane', city: 'London', postalCode: 'N1', country: 'GB' };

async function register(region: Region): Promise<{ readonly visitor: Visitor; readonly person: Person; readonly addressId: string }> {
  const { visitor, person } = await untilRegistered(gatewayOf[region], () => newPersonOf(region));
  const { body } = await visitor.must(gatewayOf[region], operations.profileWrite.request, 200, { addresses: [address] });
  return { visitor, person, addressId: body.addresses[0].addressId };
}

async function signIn(gateway: string, person: Person): Promise<Visitor> {
  const visitor = new Visitor();
  await visitor.must(gateway, operations.login.request, 200, passwordOf(person));
  return visitor;
}

export const passwordOf = ({ email, password }: Person) => ({ email, password });

/** One person of this region with two devices. */
export async function twoDevices(region: Region): Promise<[first: Visitor, second: Visitor]> {
  const { visitor, person } = await register(region);
  return [visitor, await signIn(gatewayOf[region], person)];
}

/** Puts one piece in the cart, and waits until it shows. */
async function fill(visitor: Visitor, gateway: string, product: string): Promise<void> {
  await visitor.must(gateway, operations.cartWrite.request, 202, addition(product));
  await expect.poll(() => quantityAt(visitor, gateway, product), { timeout: patienceMs }).toBeGreaterThan(0);
}

export const quantityAt = async (visitor: Visitor, gateway: string, product: string): Promise<number> =>
  quantityOf((await visitor.must(gateway, operations.cartRead.request, 200)).body, product);

export async function gatherAt(here: Region, product: string): Promise<OceanCrowd> {
  const [gateway, abroad] = [gatewayOf[here], otherThan(here)];
  const home = gatewayOf[abroad];
  const guest = new Visitor();
  await fill(guest, gateway, product);
  const { visitor: local, person: localPerson, addressId: localAddress } = await register(here);
  await fill(local, gateway, product);
  const { visitor: known, person: foreigner, addressId: knownAddress } = await register(abroad);
  await fill(known, home, product);
  const [unseen, unread, leaving] = [await signIn(home, foreigner), await signIn(home, foreigner), await signIn(home, foreigner)];
  const [ender, ending] = await twoDevices(abroad);
  const strict = here === 'us' ? known.copy() : undefined;
  const foreign = { foreigner, known, knownAddress, unseen, unread, leaving, ender, ending, strict };
  return { here, gateway, product, guest, local, localPerson, localAddress, ...foreign };
}

/** Makes the gateway of this side know whom it is to know. @returns the `seen` of the cart that `known` is about to order */
export async function meet({ gateway, ending, unread, strict, known, product }: OceanCrowd): Promise<string> {
  await ending.must(gateway, operations.cartRead.request, 200);
  await unread.must(gateway, operations.cartRead.request, 200);
  await strict?.must(strictGateway, operations.session.request, 200);
  await expect.poll(() => quantityAt(known, gateway, product), { timeout: patienceMs }).toBeGreaterThan(0);
  await known.must(gateway, operations.profileRead.request, 200);
  await untilUnderLease(known, gateway);
  return (await known.must(gateway, operations.cartRead.request, 200)).body.seen as string;
}

export const decisionOf = ({ headers }: Seen): string | undefined =>
  /session;dur=[\d.]+;desc="([^"]+)"/.exec(headers.get('server-timing') ?? '')?.[1];

export const cartOf = (visitor: Visitor, gateway: string): Promise<Seen> =>
  visitor.call(gateway, operations.cartRead.request, operations.cartRead.budgetMs);

/** The gateway takes the visitor for who it is out of its own cache, under the lease of home's feed. */
export const untilUnderLease = (visitor: Visitor, gateway: string): Promise<void> =>
  expect
    .poll(async () => decisionOf(await cartOf(visitor, gateway)), { timeout: patienceMs, message: 'known here, under the lease' })
    .toBe('hybrid hit');

export function checkOut(visitor: Visitor, gateway: string, body: { readonly addressId: string; readonly seen: string }): Promise<Seen> {
  const { request, budgetMs } = operations.checkOut;
  return visitor.call(gateway, request, budgetMs, body, { 'idempotency-key': newCommandId() });
}

/** @param feed as /readyz of the gateway calls it. @returns undefined where the gateway does not say */
export async function isLeased(gateway: string, feed: string): Promise<boolean | undefined> {
  const answer = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
  const told = (await answer?.json().catch(() => undefined)) as { parts?: Record<string, { leased?: boolean } | undefined> } | undefined;
  return told?.parts?.[feed]?.leased;
}

/** Waits until this gateway holds the lease of that feed, or has lost it. */
export async function untilLeased(gateway: string, feed: string, leased: boolean): Promise<void> {
  const message = `${gateway} ${leased ? 'holds' : 'has lost'} the lease of ${feed}`;
  await expect.poll(() => isLeased(gateway, feed), { timeout: patienceMs, intervals: [100], message }).toBe(leased);
}

/** Every gateway holds the lease of both feeds. */
export async function untilAllLeased(): Promise<void> {
  for (const here of regions)
    for (const gateway of here === 'us' ? [gatewayOf.us, strictGateway] : [gatewayOf.eu])
      for (const feed of ['feed', `feed-${otherThan(here)}`]) await untilLeased(gateway, feed, true);
}
