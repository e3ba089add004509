import type { Lab } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { openRedisFarm } from '../runner/redis.ts';
import type { Reshard } from './crowd.ts';
import { playModulo } from './modulo.ts';
import { playSlots } from './slots.ts';

const moved = 'keys moved';
const lost = 'signed out';
const back = 'came back';
const refused = 'refused';
const wait = 'longest wait';

const slots = 'slots';
const modulo = 'modulo';
const copied = 'modulo, copied first';

/** Below the bus ports of the nodes, which are 40 higher. */
const portOffset = 200;
const ticks = 120;
/** A quick run moves all slots too, which is most of its time, but fewer keys. */
const quickPart = 0.4;

export const lab: Lab = {
  name: 'shards',
  claim: 'adding a node moves everything',
  question: 'Three Redis hold the sessions, and a fourth is added while people go on. How much moves, and who pays for it?',
  needs: 'native',
  rounds: { quick: 1, full: 4 },
  prediction: {
    kind: 'choice',
    asks: 'A key lies on node hash(key) modulo the number of nodes. Three nodes become four. What part of the keys must lie elsewhere afterwards?',
    choices: { a: 'a quarter: what the new node gets', b: 'a half', c: 'three quarters', d: 'all' },
    right: 'c',
  },
  dials: {
    nodes: { value: 3, min: 3, max: 7, unit: '', says: 'nodes before one is added' },
    people: { value: 1_500, min: 200, max: 5_000, unit: '', says: 'people with a session before it begins' },
  },
  arms: [
    { name: slots, says: 'a Redis Cluster: a key has a slot for ever, and slots are handed from node to node' },
    { name: modulo, says: 'a key lies on node hash modulo n, and the clients are told another n' },
    { name: copied, says: 'the same, but the keys that will be looked for elsewhere are copied before' },
  ],
  control: modulo,
  quantities: {
    [moved]: { unit: '%', says: 'keys that lie on another node afterwards' },
    [lost]: { unit: '%', says: 'live sessions that nobody ended and that are not found afterwards' },
    [back]: { unit: '', says: 'sessions that were ended meanwhile and are answered afterwards' },
    [refused]: { unit: '', says: 'calls that the store refused; each was asked again' },
    [wait]: { unit: 'ms', says: 'the longest time until a call had its answer' },
  },
  statements: [
    {
      says: 'adding a node to slots moves about as many keys as adding one to hash modulo n',
      quantity: moved,
      of: slots,
      against: modulo,
      as: 'difference',
      above: -10,
      margin: 5,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'hash modulo n signs more people out',
      quantity: lost,
      of: modulo,
      against: slots,
      as: 'difference',
      above: 10,
      margin: 5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'copying first brings sessions back that were ended meanwhile',
      quantity: back,
      of: copied,
      against: slots,
      as: 'difference',
      above: 0.5,
      margin: 0.5,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure: (result) => ({
    title: 'One node more: keys that moved, and live sessions that were lost',
    mark: 'bar',
    x: { field: 'percent', title: 'percent', type: 'quantitative' },
    y: { field: 'how', title: '', type: 'nominal' },
    series: 'what',
    points: [slots, modulo, copied].flatMap((how) => [moved, lost].map((what) => ({ how, what, percent: middleOf(result, how, what) }))),
  }),
  exercise: {
    task: 'Five nodes become six, for the same people.',
    set: { nodes: 5 },
    asks: 'How many percent of the keys does hash modulo n move now?',
    unit: '%',
    answer: (result) => middleOf(result, modulo, moved),
    withinPart: 0,
    withinAtLeast: 2,
    why: 'A key stays where it was only if its hash has the same remainder by 5 and by 6, which is 1 in 6. So more nodes make modulo worse, and slots better, which move that one in 6 alone: the larger the system, the less a node should cost.',
  },
  async open({ quick, dials, base, say }) {
    const nodeCount = dials['nodes']!;
    const people = Math.round(dials['people']! * (quick ? quickPart : 1));
    const ports = Array.from({ length: nodeCount + 1 }, (_, index) => base + portOffset + index);
    return Promise.resolve({
      async measure(arm, round) {
        const farm = await openRedisFarm('lab-shards', say);
        const reshard: Reshard = { name: `r${round}`, people, nodeCount, ports, ticks };
        try {
          const played = arm === slots ? await playSlots(farm, reshard) : await playModulo(farm, arm === copied ? 'copy' : 'flip', reshard);
          if (played.movedPercent === 0) throw new Error(`${arm}: no key moved, so no node was added`);
          const { movedPercent, lostPercent, cameBack, longestWaitMs } = played;
          return { [moved]: movedPercent, [lost]: lostPercent, [back]: cameBack, [refused]: played.refused, [wait]: longestWaitMs };
        } finally {
          await farm.close();
        }
      },
      close: () => Promise.resolve(),
    });
  },
};
