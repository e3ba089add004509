/**
 * A device that home has ended, at a gateway that hears home late or never. Under a steady delay each heartbeat looks as prompt as the one before, so a
 * lease that was learned from them would last while revocations are late. The lease is asked of the relay at home instead
 * (docs/decisions/0018, 0045). The table of what each fault does is in ocean-matrix.ts.
 */
import { failureOperations as operations, type OceanCommand } from '@cloakroom/contracts';
import { readMetrics } from '../kit/metrics.ts';
import { expect, newPersonOf, test } from '../kit/device.ts';
import { ocean, untilUnreachable } from '../kit/ocean.ts';
import { gateways, killAndWaitForSuccessor, strictGateway } from '../kit/stack.ts';
import { untilRegistered } from '../failures/crowd.ts';
import type { Visitor } from '../failures/visitor.ts';
import { isLeased, twoDevices, untilAllLeased, untilLeased, untilUnderLease } from './ocean-crowd.ts';
import { Thief } from './thief.ts';

const [eu, us] = gateways;
const passportMs = 60_000;
/** A lease that was heard just before the fault lasts so long, and the answer to a question that was asked in it counts too. */
const leaseMs = 2_000;
/** Beyond the lease and a question: the time of a machine that is busy elsewhere. */
const refusedWithinMs = 30_000;
const patienceMs = 120_000;
const usualRttMs = 80;
/** Home can be asked within the 800 ms that a question has, and heartbeats are well below a lease late. */
const slowRttMs = 500;
/** The relay cannot be asked for its clock within the second that the question has. MirrorMaker still gets its answers within its 5 s. */
const lateRttMs = 2_000;
/** Late heartbeats that the gateway has heard from a relay that it could not ask. */
const lateBeatCount = 5;

/** One after the other, without a heal between: no byte gets an answer in any of them. */
const inTurn: readonly { readonly title: string; readonly command: OceanCommand }[] = [
  { title: 'cut both ways', command: { do: 'cut' } },
  { title: 'cut from eu to us, and held the other way', command: { do: 'hold', way: 'us-eu' } },
  { title: 'held both ways', command: { do: 'hold' } },
  { title: 'held from eu to us, and cut the other way', command: { do: 'cut', way: 'us-eu' } },
];

test.afterEach(async () => {
  await ocean({ do: 'heal' });
  await ocean({ do: 'rtt', rttMs: usualRttMs });
});

const endOthers = (device: Visitor, home: string) => device.must(home, 'DELETE /api/session/devices', 204);

test('cut off in one way after the other, no region accepts beyond a passport what home has ended; a strict gateway ends with the lease', async () => {
  test.setTimeout(600_000);
  await untilAllLeased();
  const [[first, second], [firstOfUs, secondOfUs]] = [await twoDevices('eu'), await twoDevices('us')];
  await untilUnderLease(secondOfUs, eu);
  await untilUnderLease(second, strictGateway);
  await untilUnderLease(second, us);
  await ocean(inTurn[0]!.command);
  await endOthers(first, eu);
  const strict = new Thief(second, strictGateway);
  const atUs = new Thief(second, us);
  await endOthers(firstOfUs, us);
  const atEu = new Thief(secondOfUs, eu);
  const beganMs = performance.now();
  for (const [index, { command, title }] of inTurn.entries()) {
    await ocean(command);
    const untilMs = ((index + 1) * (passportMs + 5_000)) / inTurn.length;
    // Sensitive: refused at once, whatever is still known. People who live here do not notice.
    await test.step(title, async () => {
      const { request, budgetMs } = operations.sensitive;
      await untilUnreachable(() => second.call(us, request, budgetMs));
      await untilRegistered(us, () => newPersonOf('us'));
      await expect.poll(() => performance.now() - beganMs, { timeout: patienceMs, intervals: [200] }).toBeGreaterThan(untilMs);
    });
  }
  await ocean({ do: 'heal' });
  for (const [thief, boundMs, who] of [
    [strict, leaseMs, 'strict, in us'],
    [atUs, passportMs, 'degraded, in us'],
    [atEu, passportMs, 'degraded, in eu'],
  ] as const) {
    await thief.untilRefused(patienceMs);
    await thief.end(boundMs, who);
  }
  expect([...atUs.decisions], 'the shop went on for what is not sensitive').toContain('hybrid degraded');
  expect([...strict.decisions], 'strict').not.toContain('hybrid degraded');
});

test('a gateway that has seen none but a slow ocean refuses what home has ended', async () => {
  test.setTimeout(600_000);
  await untilAllLeased();
  await ocean({ do: 'rtt', rttMs: slowRttMs });
  await killAndWaitForSuccessor('gateway-us');
  await untilLeased(us, 'feed-eu', true);
  const [first, second] = await twoDevices('eu');
  await untilUnderLease(second, us);
  await endOthers(first, eu);
  const thief = new Thief(second, us);
  await thief.untilRefused(patienceMs);
  await thief.end(refusedWithinMs, 'a slow ocean');
});

test('a relay that restarts while the ocean is held, and is heard late ever after, gives no lease to anybody', async () => {
  test.setTimeout(600_000);
  await untilAllLeased();
  const [first, second] = await twoDevices('eu');
  await untilUnderLease(second, strictGateway);
  await untilUnderLease(second, us);
  await ocean({ do: 'hold' });
  await killAndWaitForSuccessor('auth-eu');
  await ocean({ do: 'rtt', rttMs: lateRttMs });
  await ocean({ do: 'heal' });
  for (const gateway of [us, strictGateway]) await untilLeased(gateway, 'feed-eu', false);
  const unanswered = () => readMetrics(strictGateway, 'revocation_relay_asks_total', 'outcome="no_answer"');
  const before = await unanswered();
  await endOthers(first, eu);
  const strict = new Thief(second, strictGateway);
  const degraded = new Thief(second, us);
  let leasedCount = 0;
  const heardLate = async () => {
    if ((await isLeased(strictGateway, 'feed-eu')) === true) leasedCount++;
    return (await unanswered()) - before;
  };
  await expect
    .poll(heardLate, { timeout: patienceMs, intervals: [50], message: 'late heartbeats of the new relay are heard' })
    .toBeGreaterThan(lateBeatCount);
  expect(leasedCount, 'a lease by heartbeats that are a second late').toBe(0);
  // Neither has a gateway that starts now, which has seen no prompt heartbeat at all.
  await killAndWaitForSuccessor('gateway-us');
  await ocean({ do: 'rtt', rttMs: usualRttMs });
  await strict.untilRefused(patienceMs);
  await degraded.untilRefused(patienceMs);
  // The lease was lost before home ended the device.
  await strict.end(0, 'strict');
  await degraded.end(passportMs, 'degraded');
  expect([...degraded.decisions].filter((decision) => decision !== 'hybrid degraded')).toEqual([]);
  await untilAllLeased();
});
