import { expect, it } from 'vitest';
import type { ProcessView, StackView } from '../../../src/api.ts';
import { actionsFor, consequence } from './actions.ts';
import { edgesOnMap, placeNodes, regionsOf } from './place-nodes.ts';
import { wordsOfWay } from './sea-words.ts';

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

it('says of each way over the sea whether bytes arrive, and what the copy lacks', () => {
  const way = { way: 'eu-us', state: 'open', dials: 'open', bytes: 1, connections: 1 } as const;
  expect(wordsOfWay(way)).toBe('eu to us: bytes arrive. The copy in us has not been read yet.');
  expect(wordsOfWay({ ...way, mirror: { records: 0, ms: 0, askedAgoMs: 10 } })).toBe('eu to us: bytes arrive. us has all of eu.');
  expect(wordsOfWay({ ...way, way: 'us-eu', state: 'cut', mirror: { records: 3, ms: 12_300, askedAgoMs: 4_000 } })).toBe(
    'us to eu: bytes are lost. eu is behind us by 3, for 12.3 s (asked 4.0 s ago).',
  );
  expect(wordsOfWay({ ...way, state: 'held', dials: 'refused' })).toContain('eu to us: bytes wait, and eu may not dial.');
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
