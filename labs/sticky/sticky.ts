/**
 * THE ANTI-PATTERN, to look at: the shop keeps no session in a replica and has no affinity cookie. The same people, visits and deaths are played
 * twice. Once each replica keeps sessions in its memory, behind an affinity cookie. Once they share a store, behind a proxy that picks any
 * replica. It counts lost sessions and how unevenly the replicas are used.
 */
import { openSharedStore } from './store.ts';
import { type Browser, openWorld, type World } from './world.ts';

export type StickyArm = 'sticky' | 'shared';

export interface Crowd {
  /** At least one for each replica. */
  readonly people: number;
  readonly replicaCount: number;
}

export interface Outcome {
  /** People who had to sign in again after one replica died, and after all were replaced in turn. */
  readonly lostToDeath: number;
  readonly lostToRedeploy: number;
  /** Requests of the busiest replica divided by the mean: 1 is even. */
  readonly skewBefore: number;
  readonly skewAfter: number;
}

export async function playSticky(arm: StickyArm, { people, replicaCount }: Crowd): Promise<Outcome> {
  const store = arm === 'shared' ? await openSharedStore() : undefined;
  const world = await openWorld({ storeUrl: store?.url, sticky: arm === 'sticky', replicaCount });
  try {
    return await play(world, people, replicaCount);
  } finally {
    await world.close();
    await store?.close();
  }
}

async function play(world: World, people: number, replicaCount: number): Promise<Outcome> {
  const browsers = Array.from({ length: people }, (): Browser => ({ session: '', affinity: undefined }));
  await inTurns(browsers, (browser) => world.signIn(browser));
  world.load();
  await visits(world, browsers);
  const skewBefore = skewOf(world.load());

  // While the replica is down everybody visits once. The proxy sends its people to other replicas, and they stay there.
  let lostToDeath = 0;
  await world.replace(1, async () => void (lostToDeath = await comeBack(world, browsers)));
  world.load();
  await visits(world, browsers);
  const skewAfter = skewOf(world.load());

  let lostToRedeploy = 0;
  for (let index = 0; index < replicaCount; index++)
    await world.replace(index, async () => void (lostToRedeploy += await comeBack(world, browsers)));
  return { lostToDeath, lostToRedeploy, skewBefore, skewAfter };
}

/** Each person visits once. A person whose session is lost signs in again. @returns how many did */
async function comeBack(world: World, browsers: readonly Browser[]): Promise<number> {
  let lost = 0;
  await inTurns(browsers, async (browser) => {
    if (await world.visit(browser)) return;
    lost += 1;
    await world.signIn(browser);
  });
  return lost;
}

/** A few people make most requests: the first person makes twenty times as many as the last. */
async function visits(world: World, browsers: readonly Browser[]): Promise<void> {
  await inTurns(browsers, async (browser) => {
    const count = Math.max(1, Math.round(20 / (1 + browsers.indexOf(browser))));
    for (let i = 0; i < count; i++) await world.visit(browser);
  });
}

/** Enough to keep three replicas busy, and few enough for one machine. */
const atOnce = 10;

async function inTurns(browsers: readonly Browser[], work: (browser: Browser) => Promise<void>): Promise<void> {
  for (let from = 0; from < browsers.length; from += atOnce) await Promise.all(browsers.slice(from, from + atOnce).map(work));
}

const skewOf = (load: readonly number[]): number => Math.max(...load) / (load.reduce((sum, count) => sum + count, 0) / load.length);
