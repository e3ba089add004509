/**
 * Exercise: the cost of sticky sessions. This is THE ANTI-PATTERN, to look at: the shop keeps no session in a replica and
 * has no affinity cookie. The exercise runs only on request (npm run exercise -- sticky).
 *
 * The same people, visits and deaths are played twice. Once each replica keeps sessions in its memory, behind an affinity
 * cookie. Once a shared store keeps them, behind a proxy that picks any replica. It counts lost sessions and how unevenly
 * the replicas are used. See docs/exercises/sticky.md.
 */
import { openSharedStore } from './sticky.store.ts';
import { type Browser, openWorld, replicaCount, type World } from './sticky.world.ts';

export interface Measured {
  /** People who had to sign in again after one replica died, and after all were replaced in turn. */
  readonly lostToDeath: number;
  readonly lostToRedeploy: number;
  /** Requests of the busiest replica divided by the mean: 1 is even. */
  readonly skewBefore: number;
  readonly skewAfter: number;
}

export interface Outcome {
  readonly people: number;
  readonly sticky: Measured;
  readonly shared: Measured;
}

/** @param people at least one for each replica */
export async function compareSticky(people: number): Promise<Outcome> {
  const store = await openSharedStore();
  try {
    const sticky = await measure({ storeUrl: undefined, sticky: true }, people);
    const shared = await measure({ storeUrl: store.url, sticky: false }, people);
    return { people, sticky, shared };
  } finally {
    await store.close();
  }
}

async function measure(options: Parameters<typeof openWorld>[0], people: number): Promise<Measured> {
  const world = await openWorld(options);
  try {
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
  } finally {
    await world.close();
  }
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

/** The text that `npm run exercise -- sticky` prints. */
export function describeSticky({ people, sticky, shared }: Outcome): string {
  const row = (name: string, of: (measured: Measured) => string) =>
    `${name.padEnd(44)}${of(sticky).padStart(10)}${of(shared).padStart(10)}`;
  return [
    `Exercise "sticky": an anti-pattern to look at, not how the shop works. ${people} people, ${replicaCount} replicas.`,
    '',
    `${''.padEnd(44)}${'sticky'.padStart(10)}${'shared'.padStart(10)}`,
    row('signed out when one replica died', ({ lostToDeath }) => String(lostToDeath)),
    row('signed out by replacing each in turn', ({ lostToRedeploy }) => String(lostToRedeploy)),
    row('busiest replica over the mean, before', ({ skewBefore }) => skewBefore.toFixed(2)),
    row('busiest replica over the mean, after a death', ({ skewAfter }) => skewAfter.toFixed(2)),
    '',
    'What it shows and why: docs/exercises/sticky.md',
  ].join('\n');
}
