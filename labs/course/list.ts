/** The labs, in the order of the course. Each is loaded only when it is asked for: a list needs no Redis client. */
import { oneOf } from '../../infra/cli/command-line.ts';
import type { Lab, LabNeed } from '../runner/lab.ts';

export interface Listed {
  readonly name: string;
  readonly claim: string;
  readonly needs: LabNeed;
  /** The length of a full run. */
  readonly minutes: string;
  readonly load: () => Promise<{ readonly lab: Lab }>;
}

export const labs: readonly Listed[] = [
  { name: 'sticky', claim: 'sticky sessions scale', needs: 'node', minutes: '1 min', load: () => import('../sticky/lab.ts') },
  {
    name: 'reference-or-jwt',
    claim: 'JWT is faster',
    needs: 'native',
    minutes: '4 min',
    load: () => import('../reference-or-jwt/lab.ts'),
  },
  {
    name: 'identity-cache',
    claim: 'a cache makes identity free, and stale',
    needs: 'node',
    minutes: '4 min',
    load: () => import('../identity-cache/lab.ts'),
  },
  {
    name: 'edge-or-every-hop',
    claim: 'checking once at the edge is enough',
    needs: 'node',
    minutes: '3 min',
    load: () => import('../edge-or-every-hop/lab.ts'),
  },
  {
    name: 'critical-path',
    claim: 'the slowest hop is what to speed up',
    needs: 'node',
    minutes: '4 min',
    load: () => import('../critical-path/lab.ts'),
  },
  {
    name: 'latency-budget',
    claim: 'a time-out per hop is enough',
    needs: 'node',
    minutes: '3 min',
    load: () => import('../latency-budget/lab.ts'),
  },
  {
    name: 'wrong-carts',
    claim: 'the last writer wins, and nothing is lost',
    needs: 'node',
    minutes: '4 min',
    load: () => import('../wrong-carts/lab.ts'),
  },
  {
    name: 'personalisation',
    claim: 'the profile of a moment ago is good enough',
    needs: 'node',
    minutes: '3 min',
    load: () => import('../personalisation/lab.ts'),
  },
  {
    name: 'shards',
    claim: 'adding a node moves everything',
    needs: 'native',
    minutes: '2 min',
    load: () => import('../shards/lab.ts'),
  },
  {
    name: 'failover',
    claim: 'a replica makes it safe',
    needs: 'native',
    minutes: '2 min',
    load: () => import('../failover/lab.ts'),
  },
  {
    name: 'two-regions',
    claim: 'a global session store is one database',
    needs: 'node',
    minutes: '1 min',
    load: () => import('../two-regions/lab.ts'),
  },
  {
    name: 'blast-radius',
    claim: 'one Redis is enough',
    needs: 'native',
    minutes: '1 min',
    load: () => import('../blast-radius/lab.ts'),
  },
  {
    name: 'attack-surface',
    claim: 'the framework protects you',
    needs: 'node',
    minutes: '4 min',
    load: () => import('../attack-surface/lab.ts'),
  },
  {
    name: 'the-floors',
    claim: 'session state defines the availability floor, the latency floor and the security boundary',
    needs: 'native',
    minutes: '4 min',
    load: () => import('../the-floors/lab.ts'),
  },
  {
    name: 'a-billion',
    claim: 'it would not scale',
    needs: 'native',
    minutes: '4 min',
    load: () => import('../a-billion/lab.ts'),
  },
];

/** @throws UsageError */
export async function findLab(name: string): Promise<Lab> {
  const names = labs.map((lab) => lab.name);
  const known = oneOf('lab', name, names);
  return (await labs[names.indexOf(known)]!.load()).lab;
}
