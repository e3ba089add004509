/**
 * Two regions in one process: the shop's own commands, projector and view in each, a log each, and copies of the logs as MirrorMaker writes them. The
 * time is made up, so half a minute of a cut takes a moment. The ocean lets everything new across once in a round trip, and nothing while it is cut.
 */
import { choicesOf } from '@cloakroom/testing';
import { stranger, user, World } from '../prove/prove.world.ts';
import { lastWriter } from './last-writer.ts';

export const ways = ['one home', 'last writer wins', 'dots'] as const;
/** The rule for a command that is given abroad. */
export type Way = (typeof ways)[number];

export interface Plan {
  readonly seed: number;
  /** Between two commands of one side. */
  readonly everyMs: number;
  readonly rttMs: number;
  /** Connected, before the cut and after it. */
  readonly calmMs: number;
  readonly cutMs: number;
}

export interface Told {
  /** Commands in the cut, and how many of them were refused. */
  readonly inCut: number;
  readonly refused: number;
  /** Units that were acknowledged and do not show once both sides have everything. */
  readonly lost: number;
  /** Units that show and were never acknowledged. */
  readonly tooMany: number;
  /** Lines that the two regions show differently then. */
  readonly differ: number;
}

const carts = [user, stranger] as const;
const lines = ['hat', 'mug', 'pen'] as const;

/** On each side somebody puts one more piece in, again and again, into the same two carts. */
export async function play(way: Way, { seed, everyMs, rttMs, calmMs, cutMs }: Plan): Promise<Told> {
  const model = way === 'last writer wins' ? lastWriter : undefined;
  const eu = await World.open('eu', ['us'], model);
  const us = await World.open('us', ['eu'], model);
  const random = choicesOf(seed, 0);
  const acknowledged = new Map<string, number>();
  let [inCut, refused, crossedMs] = [0, 0, 0];
  const cross = async (): Promise<boolean> => {
    const copied = [await eu.copy(us, everything), await us.copy(eu, everything)];
    return [...copied, await eu.drain(), await us.drain()].includes(true);
  };
  try {
    for (let nowMs = 0; nowMs < 2 * calmMs + cutMs; nowMs += everyMs) {
      const isCut = nowMs >= calmMs && nowMs < calmMs + cutMs;
      if (!isCut && nowMs - crossedMs >= rttMs) {
        await cross();
        crossedMs = nowMs;
      }
      for (const side of random.chance(0.5) ? [eu, us] : [us, eu]) {
        const [cartId, line] = [random.pick(carts), random.pick(lines)];
        if (isCut) inCut += 1;
        const taker = way === 'one home' ? eu : side;
        const seen = taker !== side && isCut ? undefined : await give(taker, eu.newId(), cartId, line);
        if (seen === undefined) refused += 1;
        else acknowledged.set(`${cartId} ${line}`, (acknowledged.get(`${cartId} ${line}`) ?? 0) + 1);
      }
      for (const world of [eu, us]) world.passMs(everyMs);
    }
    while (await cross());
    return { inCut, refused, ...(await compare(eu, us, acknowledged)) };
  } finally {
    await eu.close();
    await us.close();
  }
}

/** More than a run has. */
const everything = 100_000;

/** A person who adds sees what the region has so far: so nothing is lost within one region. @returns undefined where it was refused */
async function give(world: World, commandId: string, cartId: string, line: string): Promise<unknown> {
  const seen = await world.send({ cartId, commandId, command: { kind: 'add', line, quantity: 1 }, seen: [] });
  await world.drain();
  return seen;
}

async function compare(
  eu: World,
  us: World,
  acknowledged: ReadonlyMap<string, number>,
): Promise<Pick<Told, 'lost' | 'tooMany' | 'differ'>> {
  const told = { lost: 0, tooMany: 0, differ: 0 };
  for (const cartId of carts) {
    const [here, there] = [(await eu.read(cartId)).quantities, (await us.read(cartId)).quantities];
    for (const line of lines) {
      const due = acknowledged.get(`${cartId} ${line}`) ?? 0;
      const shown = here[line] ?? 0;
      told.lost += Math.max(0, due - shown);
      told.tooMany += Math.max(0, shown - due);
      told.differ += shown === (there[line] ?? 0) ? 0 : 1;
    }
  }
  return told;
}
