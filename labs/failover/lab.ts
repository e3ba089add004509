import type { Lab } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { openRedisFarm } from '../runner/redis.ts';
import { openCrowd } from './crowd.ts';
import { type Fault, openPair, openSingle } from './pair.ts';

const lost = 'sign-ins lost';
const back = 'came back';
const outage = 'outage';
const since = 'confirmed since';

interface Played {
  readonly fault: Fault;
  readonly replica: boolean;
  readonly database: boolean;
  readonly says: string;
}

const nothing = 'nothing happens';
const restart = 'no replica, restarted';
const kill = 'killed';
const pause = 'paused';
const cut = 'cut off';
const cutDatabase = 'cut off, database';

const played: Readonly<Record<string, Played>> = {
  [nothing]: { fault: 'nothing', replica: true, database: false, says: 'a primary with a replica, and no fault' },
  [restart]: { fault: 'kill', replica: false, database: false, says: 'one Redis alone with its file is killed and started again' },
  [kill]: { fault: 'kill', replica: true, database: false, says: 'the primary is killed, and its replica takes over' },
  [pause]: { fault: 'pause', replica: true, database: false, says: 'the primary stops answering, and its replica takes over' },
  [cut]: { fault: 'cut', replica: true, database: false, says: 'the primary is cut off from its replica, and people still reach it' },
  [cutDatabase]: { fault: 'cut', replica: true, database: true, says: 'the same, and every sign-out stands in auth’s database first' },
};
const inQuick: ReadonlySet<string> = new Set([nothing, cut, cutDatabase]);

const portOffset = 240;
/** Reads before the fault, and after the store answers again: some hundred milliseconds each. */
const calmReads = 60;

export const lab: Lab = {
  name: 'failover',
  claim: 'a replica makes it safe',
  question: 'The primary of the sessions’ Redis falls, and its replica takes over. Which sign-ins and which sign-outs are still true?',
  needs: 'native',
  rounds: { quick: 1, full: 4 },
  prediction: {
    kind: 'choice',
    asks: 'The primary is cut off from its replica for a second or two, and people still reach it. Then the replica takes over. What becomes of the sign-outs that were confirmed in that time?',
    choices: {
      a: 'they hold: the primary had confirmed them',
      b: 'they are refused, so nobody was told anything wrong',
      c: 'the sessions live again',
    },
    right: 'c',
  },
  dials: {
    every: { value: 10, min: 5, max: 100, unit: 'ms', says: 'between two people who sign in, and two who sign out' },
    lag: { value: 0, min: 0, max: 500, unit: 'ms', says: 'how far the replica is behind: bytes wait that long at the primary’s side' },
  },
  arms: Object.entries(played).map(([name, { says }]) => ({ name, says })),
  control: nothing,
  quantities: {
    [lost]: { unit: '', says: 'sign-ins that were confirmed and whose session is not there afterwards' },
    [back]: { unit: '', says: 'sign-outs that were confirmed and whose session is answered afterwards' },
    [outage]: { unit: 'ms', says: 'the longest time without an answer to any read' },
    [since]: { unit: '', says: 'sign-ins and sign-outs that were confirmed since the fault' },
  },
  statements: [
    {
      says: 'where the primary is cut off, no more ended sessions come back than where nothing happens',
      quantity: back,
      of: nothing,
      against: cut,
      as: 'difference',
      above: -0.5,
      margin: 0.5,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'with the database behind it fewer ended sessions come back',
      quantity: back,
      of: cut,
      against: cutDatabase,
      as: 'difference',
      above: 0.5,
      margin: 0.5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'confirmed sign-ins are lost all the same, for the database keeps no sessions',
      quantity: lost,
      of: cutDatabase,
      against: nothing,
      as: 'difference',
      above: 0.5,
      margin: 0.5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'a failover takes at least half a second longer than a restart',
      quantity: outage,
      of: kill,
      against: restart,
      as: 'difference',
      above: 500,
      margin: 250,
      found: 'holds',
      inQuick: 'shown',
    },
  ],
  figure: (result) => ({
    title: 'Confirmed sign-ins and sign-outs that a fault undid',
    mark: 'bar',
    x: { field: 'people', title: 'people', type: 'quantitative' },
    y: { field: 'fault', title: '', type: 'nominal' },
    series: 'what',
    points: Object.keys(played).flatMap((fault) =>
      [lost, back].map((what) => ({ fault, what: what === back ? 'sign-outs undone' : what, people: middleOf(result, fault, what) })),
    ),
  }),
  exercise: {
    task: 'The replica is 300 ms behind its primary. Every 10 ms a person signs in. The primary is killed with -9.',
    set: { lag: 300 },
    asks: 'How many confirmed sign-ins are lost?',
    unit: 'sign-ins',
    answer: (result) => middleOf(result, kill, lost),
    withinPart: 0.35,
    withinAtLeast: 6,
    why: 'A primary confirms before its replica has the write. What it has confirmed and not sent dies with it: lag times rate, here about 0.3 s times 100 a second. Without lag the same kill lost nothing, so a drill on one machine shows a safety that is not there.',
  },
  open: ({ quick, dials, base, say }) =>
    Promise.resolve({
      async measure(arm) {
        if (quick && !inQuick.has(arm)) return { [lost]: Number.NaN, [back]: Number.NaN, [outage]: Number.NaN, [since]: 0 };
        const farm = await openRedisFarm('lab-failover', say);
        try {
          const befell = await play(played[arm]!, farm, base + portOffset, dials);
          return { [lost]: befell.lost, [back]: befell.cameBack, [outage]: befell.outageMs, [since]: befell.confirmedSince };
        } finally {
          await farm.close();
        }
      },
      close: () => Promise.resolve(),
    }),
};

type Farm = Awaited<ReturnType<typeof openRedisFarm>>;

async function play({ fault, replica, database }: Played, farm: Farm, base: number, dials: Readonly<Record<string, number>>) {
  const pair = replica ? await openPair(farm, base, dials['lag']!) : await openSingle(farm, base);
  try {
    const crowd = await openCrowd(pair.client, database);
    await pair.caughtUp();
    crowd.begin(dials['every']!);
    await crowd.answered(calmReads);
    crowd.mark();
    await pair.strike(fault);
    await pair.settled();
    await crowd.answered(calmReads);
    await crowd.stop();
    const befell = await crowd.count();
    if (fault === 'cut' && befell.confirmedSince === 0) throw new Error('the cut primary confirmed nothing, so the cut showed nothing');
    return befell;
  } finally {
    pair.client.disconnect();
    await pair.close();
  }
}
