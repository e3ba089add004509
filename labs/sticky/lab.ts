import type { Lab } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { playSticky, type StickyArm } from './sticky.ts';

const death = 'signed out by a death';
const redeploy = 'signed out by a redeploy';
const skew = 'busiest over the mean';

export const lab: Lab = {
  name: 'sticky',
  claim: 'sticky sessions scale',
  question:
    'The balancer sends each browser back to the replica that knows it. What does the death of a replica cost, and what a redeploy?',
  needs: 'node',
  rounds: { quick: 2, full: 5 },
  prediction: {
    kind: 'choice',
    asks: '120 people, 3 replicas. All replicas are replaced one after the other, as in a redeploy. How often must someone sign in again, with sticky sessions?',
    choices: { a: 'never: the cookie brings them back', b: 'about 40 times, once for each person of one replica', c: '120 times or more' },
    right: 'c',
  },
  dials: {
    people: { value: 120, min: 12, max: 600, unit: '', says: 'people who are signed in' },
    replicas: { value: 3, min: 2, max: 12, unit: '', says: 'replicas behind the proxy' },
  },
  arms: [
    { name: 'sticky', says: 'a replica keeps its sessions in memory, and a cookie ties a browser to it' },
    { name: 'shared', says: 'the replicas keep nothing and ask one session store; the proxy takes them in turn' },
  ],
  control: 'shared',
  quantities: {
    [death]: { unit: 'people', says: 'sign-ins that were needed after one replica had died' },
    [redeploy]: { unit: 'people', says: 'sign-ins that were needed while all replicas were replaced in turn' },
    [skew]: { unit: '', says: 'requests of the busiest replica over the mean, after one death' },
  },
  statements: [
    {
      says: 'a death signs out no more people with sticky sessions than with a shared store',
      quantity: death,
      of: 'shared',
      against: 'sticky',
      as: 'difference',
      above: -1,
      margin: 1,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'a redeploy signs more people out with sticky sessions',
      quantity: redeploy,
      of: 'sticky',
      against: 'shared',
      as: 'difference',
      above: 1,
      margin: 1,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'after a death, sticky sessions leave the load at least 1.2 times as uneven',
      quantity: skew,
      of: 'sticky',
      against: 'shared',
      as: 'ratio',
      above: 1.2,
      margin: 0.1,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure: (result) => ({
    title: 'Sign-ins that a death and a redeploy cost',
    mark: 'bar',
    x: { field: 'people', title: 'people who had to sign in again', type: 'quantitative' },
    y: { field: 'what', title: '', type: 'nominal' },
    series: 'sessions',
    points: ['sticky', 'shared'].flatMap((arm) =>
      [death, redeploy].map((what) => ({ what: what.replace('signed out by ', ''), sessions: arm, people: middleOf(result, arm, what) })),
    ),
  }),
  exercise: {
    task: 'Twice as many replicas: 6 in place of 3, for the same 120 people, with sticky sessions.',
    set: { replicas: 6 },
    asks: 'How many people does the death of ONE replica sign out now?',
    unit: 'people',
    answer: (result) => middleOf(result, 'sticky', death),
    withinPart: 0,
    withinAtLeast: 2,
    why: 'A replica holds its share of the people, so more replicas make each death smaller, and deaths more frequent in the same proportion. A redeploy still signs out everybody. Only a place outside of the replicas takes the loss away.',
  },
  async open({ dials }) {
    const crowd = { people: dials['people']!, replicaCount: dials['replicas']! };
    return {
      async measure(arm) {
        const { lostToDeath, lostToRedeploy, skewAfter } = await playSticky(arm as StickyArm, crowd);
        return { [death]: lostToDeath, [redeploy]: lostToRedeploy, [skew]: skewAfter };
      },
      close: async () => undefined,
    };
  },
};
