/** The ocean really broken, in each way, on both sides at once: every cell of ocean-matrix.ts, and what must be true after the heal. */
import { errorTable, failureOperations as operations } from '@cloakroom/contracts';
import { setTimeout as delay } from 'node:timers/promises';
import { addition } from '../failures/crowd.ts';
import { type Seen, Visitor } from '../failures/visitor.ts';
import { expect, test } from '../kit/device.ts';
import { ocean } from '../kit/ocean.ts';
import { strictGateway } from '../kit/stack.ts';
import {
  checkOut,
  decisionOf,
  gatewayOf,
  gatherAt,
  meet,
  type OceanCrowd,
  otherThan,
  passwordOf,
  quantityAt,
  untilAllLeased,
  untilLeased,
} from './ocean-crowd.ts';
import {
  columnOf,
  type OceanColumn,
  oceanFaults,
  type OceanOutcome,
  oceanOutcomes,
  type OceanRow,
  oceanRows,
  regions,
} from '../failures/ocean-matrix.ts';
import { Thief } from './thief.ts';

/** A passport lives so long, and no fault makes it longer. */
const passportMs = 60_000;
/** Within the lease a revocation is heard, or home is asked. Everything beyond is for a machine that is busy elsewhere. */
const refusedWithinMs = 30_000;
const patienceMs = 120_000;
const triesMax = 8;
const retryAfterMaxS = 10;

test.afterEach(() => ocean({ do: 'heal' }));

for (const [index, fault] of oceanFaults.entries())
  test(`the ocean is ${fault.title}: every operation, on both sides, does what the table says`, async ({ products }) => {
    test.setTimeout(600_000);
    await untilAllLeased();
    // Each test orders some pieces of a product of its own.
    const product = products.at(-1 - index)!;
    const crowds = await Promise.all(regions.map((here) => gatherAt(here, product)));
    const met = await Promise.all(
      crowds.map(async (crowd) => ({ crowd, column: columnOf(fault, crowd.here), knownSeen: await meet(crowd) })),
    );
    await ocean(fault.command);
    const thieves = await Promise.all(met.map(async ({ crowd, column }) => ({ column, thief: await endAtHome(crowd) })));
    for (const here of fault.cutOff) {
      const feed = `feed-${otherThan(here)}`;
      await untilLeased(gatewayOf[here], feed, false);
      if (here === 'us') await untilLeased(strictGateway, feed, false);
    }
    await Promise.all(met.map(({ crowd, column, knownSeen }) => probe(crowd, column, knownSeen)));
    for (const { thief, column } of thieves) if (column === 'asks') await thief.untilRefused(patienceMs);
    await ocean({ do: 'heal' });
    for (const { thief, column } of thieves) {
      await thief.untilRefused(patienceMs);
      await thief.end(column === 'asks' ? refusedWithinMs : passportMs, `${oceanRows.ended.title} (${column})`);
    }
    await untilAllLeased();
    for (const { crowd } of met) await expectWell(crowd);
  });

async function endAtHome({ here, gateway, ender, ending }: OceanCrowd): Promise<Thief> {
  await ender.must(gatewayOf[otherThan(here)], 'DELETE /api/session/devices', 204);
  return new Thief(ending, gateway);
}

async function probe(crowd: OceanCrowd, column: OceanColumn, knownSeen: string): Promise<void> {
  const { gateway, known, guest, local, strict, product } = crowd;
  const hold = async (row: OceanRow, visitor: Visitor, body?: object, at = gateway) => {
    const { request, budgetMs } = operations[oceanRows[row].operation];
    await expectCell(row, column, () => visitor.call(at, request, budgetMs, body));
  };
  // First those whose passport's minute runs.
  await Promise.all([
    hold('sessionKnown', known),
    hold('cartKnown', known, addition(product)),
    hold('profileKnown', known),
    strict && hold('sessionStrict', strict, undefined, strictGateway),
    strict && hold('sensitiveStrict', strict, undefined, strictGateway),
  ]);
  await Promise.all([
    hold('catalog', new Visitor()),
    hold('guestWrite', guest, addition(product)),
    hold('guestRead', guest),
    hold('signInHome', new Visitor(), passwordOf(crowd.localPerson)),
    hold('sessionHome', local),
    hold('sensitiveHome', local),
    hold('profileReadHome', local),
    hold('profileWriteHome', local, { preferences: { theme: 'dark' } }),
    hold('cartHome', local, addition(product)),
  ]);
  await Promise.all([
    orderHome(crowd, column),
    hold('signInAbroad', new Visitor(), passwordOf(crowd.foreigner)),
    hold('sessionUnseen', crowd.unseen),
    hold('profileUnseen', crowd.unread),
    hold('profileWrite', known, { preferences: { theme: 'dark' } }),
    hold('sensitive', known),
    expectCell('order', column, () => checkOut(known, gateway, { addressId: crowd.knownAddress, seen: knownSeen })),
  ]);
  await hold('logout', crowd.leaving);
}

async function orderHome({ gateway, local, localAddress }: OceanCrowd, column: OceanColumn): Promise<void> {
  const { body } = await local.must(gateway, operations.cartRead.request, 200);
  await expectCell('orderHome', column, () => checkOut(local, gateway, { addressId: localAddress, seen: body.seen }));
}

const statusOf: Readonly<Partial<Record<string, number>>> = { cartWrite: 202, checkOut: 201, logout: 204 };
/** A busy machine may miss the time that home has for an answer. Then it refuses in other words, or falls back on what it knows. */
const isBusy = (seen: Seen, expected: OceanOutcome): boolean => seen.status >= 503 || (seen.status < 300 && expected === 'works');

async function expectCell(row: OceanRow, column: OceanColumn, ask: () => Promise<Seen>): Promise<void> {
  const { title, operation, [column]: expected } = oceanRows[row];
  const usual = statusOf[operation] ?? 200;
  let seen = await ask();
  for (let tries = 1; tries < triesMax && said(seen, usual) !== expected && isBusy(seen, expected); tries++) {
    await delay(Math.min(Number(seen.headers.get('retry-after') ?? 0), retryAfterMaxS) * 1_000); // not a wait: a client does what Retry-After says
    seen = await ask();
  }
  const told = `${title}: ${seen.status} ${JSON.stringify(seen.body)?.slice(0, 300)} ${seen.headers.get('server-timing')}`;
  expect.soft(said(seen, usual), told).toBe(expected);
  expect.soft(seen.tookMs, `${told}: nothing hangs`).toBeLessThan(operations[operation].budgetMs + seen.graceMs);
  if (seen.status < 500) return;
  expect.soft(seen.status, `${told}: no raw server error`).not.toBe(500);
  expect.soft(errorTable, told).toHaveProperty(seen.body.code as string);
  if (seen.status === 503) expect.soft(Number(seen.headers.get('retry-after')), told).toBeGreaterThan(0);
  const cleared = seen.setCookies.filter(({ name, value }) => name.startsWith('__Host-') && value === '');
  expect.soft(cleared, `${told}: no cookie is cleared`).toEqual([]);
}

/** The answer in the table's words. A copy is told before the identity that it was read with. */
function said(seen: Seen, status: number): string {
  if (seen.status !== status) return seen.body?.code === oceanOutcomes.refused.code ? 'refused' : String(seen.body?.code ?? seen.status);
  if (seen.body?.copy !== undefined) return 'copy';
  return decisionOf(seen)?.endsWith('degraded') === true ? 'degraded' : 'works';
}

/** After the heal everybody is served on both sides, as who they were, and each cart is the same on both sides. */
async function expectWell({ here, gateway, product, guest, local, localPerson, known, foreigner }: OceanCrowd): Promise<void> {
  const elsewhere = gatewayOf[otherThan(here)];
  for (const [visitor, email] of [
    [guest, undefined],
    [local, localPerson.email],
    [known, foreigner.email],
  ] as const) {
    for (const at of [gateway, elsewhere]) {
      const { body } = await visitor.must(at, operations.session.request, 200);
      expect.soft(body.user?.email, `still signed in at ${at}`).toBe(email);
      await visitor.must(at, operations.profileRead.request, 200);
    }
    const both = () => Promise.all([gateway, elsewhere].map((at) => quantityAt(visitor, at, product)));
    await expect.poll(() => both().then(([one, other]) => one! - other!), { timeout: patienceMs, message: 'the cart is one' }).toBe(0);
  }
  expect.soft(await quantityAt(guest, gateway, product), 'added before the fault, and during it').toBe(2);
  await known.must(gateway, operations.sensitive.request, 200);
}
