/**
 * People shop in both regions, as in `npm run chaos -- --profile regions`, while every process of one region is killed at once, and while both
 * MirrorMakers are killed and paused. The checker of that command judges what they were told.
 */
import { failureOperations as operations } from '@cloakroom/contracts';
import { readState } from '@cloakroom/infra';
import { acrossRegions, checkHistory, openRecorder, report, runWorkload } from '@cloakroom/testing';
import { addition } from '../failures/crowd.ts';
import { Visitor } from '../failures/visitor.ts';
import { expect, test } from '../kit/device.ts';
import { dataDir, gateways, strictGateway, waitUntilReady, whilePaused } from '../kit/stack.ts';
import { quantityAt, twoDevices, untilAllLeased, untilUnderLease } from './ocean-crowd.ts';
import { Thief } from './thief.ts';

const [eu, us] = gateways;
/** Enough that each kind of call has met the fault, on a machine of any speed. */
const operationCount = 120;
const patienceMs = 300_000;
/** The same plan of the shoppers each time, as in the suite e2e-chaos. `npm run chaos -- --profile regions` draws others. */
const seed = 16;

const processesOf = (match: (name: string) => boolean) => (readState(dataDir)?.processes ?? []).filter(({ name }) => match(name));

/** Kills them at once. @returns resolves when their successors are ready */
function killAll(match: (name: string) => boolean): () => Promise<void> {
  const before = new Map(processesOf(match).map(({ name, pid }) => [name, pid]));
  expect(before.size).toBeGreaterThan(0);
  for (const pid of before.values()) process.kill(pid!, 'SIGKILL');
  const waiting = () =>
    processesOf(match)
      .filter(({ name, pid, state }) => state !== 'ready' || pid === before.get(name))
      .map(({ name }) => name);
  return () => expect.poll(waiting, { timeout: patienceMs, intervals: [200] }).toEqual([]);
}

test('one region dies whole, and both mirrors die and stand still, under load: the checker of the chaos finds nothing', async ({
  products,
}) => {
  test.setTimeout(1_200_000);
  const [recorder, closing] = [openRecorder(), new AbortController()];
  const heal = async () => {
    await waitUntilReady();
    await untilAllLeased();
  };
  await heal();
  const working = runWorkload({ gateways: [eu, us], seed, recorder, signal: closing.signal, heal, ...acrossRegions });
  working.catch(() => undefined);
  const shopOn = async () => {
    const until = recorder.operations().length + operationCount;
    await expect.poll(() => recorder.operations().length, { timeout: patienceMs }).toBeGreaterThan(until);
  };
  const during = async (name: string, target: string, fault: () => Promise<unknown>) => {
    const over = recorder.fault(name, target);
    await fault();
    await untilCrossed(products.at(-1)!);
    over();
    await shopOn();
  };
  try {
    await shopOn();
    await during('region', 'us', usDies);
    await during('mirror killed', 'both', () => killAll((name) => name.startsWith('mirror-'))());
    await during('mirror paused', 'both', () => whilePaused('mirror-eu', () => whilePaused('mirror-us', shopOn)));
  } finally {
    closing.abort();
  }
  const history = await working;
  const verdict = checkHistory(history);
  expect(verdict.anomalies, `seed ${seed}: ${report(verdict, history)}`).toEqual([]);
  expect(verdict.counts['add ok'] ?? 0, 'commands were taken').toBeGreaterThan(0);
});

/** The fault is over when each region copies and reads again: the leases are there, and a new guest's cart shows on the other side. */
async function untilCrossed(product: string): Promise<void> {
  await untilAllLeased();
  for (const [home, abroad] of [
    [eu, us],
    [us, eu],
  ] as const) {
    const guest = new Visitor();
    await guest.must(home, operations.cartWrite.request, 202, addition(product));
    await expect.poll(() => quantityAt(guest, abroad, product), { timeout: patienceMs }).toBe(1);
  }
}

/** While us is down, eu ends a device that us knew. Nothing in us lets it in any more. */
async function usDies(): Promise<void> {
  const [first, second] = await twoDevices('eu');
  for (const gateway of [us, strictGateway]) await untilUnderLease(second, gateway);
  const untilBack = killAll((name) => name.endsWith('-us'));
  await first.must(eu, 'DELETE /api/session/devices', 204);
  const thieves = [us, strictGateway].map((gateway) => new Thief(second, gateway));
  await untilBack();
  for (const thief of thieves) {
    await thief.untilRefused(patienceMs);
    await thief.end(0, 'a region that died');
  }
}
