import { expect, it } from 'vitest';
import type { ProcessView, StackView } from '../../../src/api.ts';
import { actionsFor, consequence } from './actions.ts';
import { edgesOnMap, placeNodes, regionsOf } from './place-nodes.ts';

const process = (name: string, kind: ProcessView['kind'] = 'app', needs: readonly string[] = []): ProcessView => ({
  name,
  kind,
  apps: kind === 'app' ? [name.replace(/-\d+$/, '')] : [],
  needs,
  url: '',
  state: 'ready',
  pid: 1,
  memoryBytes: undefined,
  restarts: 0,
});
const processes = [
  process('redis-sessions', 'redis'),
  process('kafka', 'kafka'),
  process('auth', 'app', ['redis-sessions', 'kafka']),
  process('gateway-1', 'app', ['auth']),
  process('gateway-2', 'app', ['auth']),
  process('observatory', 'observatory', ['auth']),
];
const stack: StackView = { provider: 'native', profile: 'usual', gateways: ['http://localhost:4000'], processes };

it('puts gateways, services, and what they keep things in, into three columns; the Observatory stands apart', () => {
  expect(placeNodes(stack).map(({ column, processes: own }) => [column, own.map(({ name }) => name)])).toEqual([
    ['edge', ['gateway-1', 'gateway-2']],
    ['services', ['auth']],
    ['stores', ['redis-sessions', 'kafka']],
  ]);
});

it('draws a map for each region, and what belongs to none stands between them', () => {
  const both: StackView = {
    ...stack,
    processes: [
      process('ocean', 'ocean'),
      ...['eu', 'us'].flatMap((region) =>
        [process(`gateway-${region}`), process(`mirror-${region}`, 'mirror')].map((one) => ({ ...one, region })),
      ),
      process('observatory', 'observatory'),
    ],
  };
  expect(regionsOf(both)).toEqual(['eu', 'us']);
  expect(regionsOf(stack)).toEqual([]);
  expect(placeNodes(both, 'us').map(({ column, processes: own }) => [column, own.map(({ name }) => name)])).toEqual([
    ['edge', ['gateway-us']],
    ['stores', ['mirror-us']],
  ]);
});

it('draws no line to a place that is not on the map', () => {
  const edge = { perSecond: 1, p99Ms: 1, failedPart: 0 };
  const edges = [
    { from: 'gateway-1', to: 'auth', ...edge },
    { from: 'elsewhere', to: 'gateway-1', ...edge },
    { from: 'auth', to: 'auth', ...edge },
  ];
  expect(edgesOnMap(stack, edges)).toEqual([edges[0]]);
});

it('says of an action whom it will hit', () => {
  const auth = processes[2]!;
  expect(consequence('pause', auth, stack)).toContain('gateway-1 and gateway-2 will wait');
  expect(consequence('kill', process('cloakroom', 'embedded'), stack)).toContain('the whole shop');
});

it('offers what makes sense: a paused process can be resumed, and one that ended started again', () => {
  expect(actionsFor({ ...processes[2]!, state: 'paused' })).toEqual(['resume', 'kill']);
  expect(actionsFor({ ...processes[2]!, state: 'ended' })).toEqual(['restart']);
});
