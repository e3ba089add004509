/**
 * The simulator: what a session system of a given size needs. It is pure, and it imports nothing, so the lab, the terminal and the page
 * (`serve.ts` strips the types) run this one file. Each step is a function of the steps before it, and its text is the formula that is shown.
 */

export const modes = ['reference', 'hybrid', 'jwt-denylist', 'jwt'] as const;
export type Mode = (typeof modes)[number];

export interface Knob {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly says: string;
}

/** Knobs that a person may turn. The values are those of the interview question: a billion people. */
export const knobs = {
  people: { value: 1e9, min: 1e3, max: 1e10, unit: '', says: 'people with an account' },
  devices: { value: 2, min: 1, max: 10, unit: '', says: 'live sessions of one person' },
  requests: { value: 40, min: 1, max: 8_640, unit: '', says: 'requests of one person in a day' },
  peak: { value: 3, min: 1, max: 20, unit: '', says: 'the busiest hour over the mean of the day' },
  gap: { value: 10, min: 1, max: 600, unit: 's', says: 'between two requests of a visit' },
  visit: { value: 20, min: 1, max: 1e6, unit: '', says: 'requests in one visit' },
  spread: { value: 2, min: 0, max: 1_000, unit: '', says: 'gateways that one person’s requests meet; 0: any gateway there is' },
  lease: { value: 2, min: 0, max: 60, unit: 's', says: 'how long a gateway trusts its cache after it last heard the feed; 0: never' },
  cells: {
    value: 0,
    min: 0,
    max: 1,
    unit: '',
    says: '1: a process hears the revocations of its own people alone; 0: of all people, as this shop does',
  },
  regions: { value: 3, min: 1, max: 30, unit: '', says: 'regions, each person at home in one' },
  copies: { value: 2, min: 1, max: 5, unit: '', says: 'copies of a shard: the primary and its replicas' },
  memory: { value: 16, min: 1, max: 512, unit: 'GB', says: 'memory of a shard that sessions may fill' },
  load: { value: 0.5, min: 0.1, max: 0.9, unit: '', says: 'part of a core that is used; the rest is for a bad minute' },
  revocations: { value: 0.1, min: 0, max: 10, unit: '', says: 'sessions that a person ends in a day, replaced tokens included' },
  failover: { value: 5, min: 0, max: 600, unit: 's', says: 'until a replica has taken over' },
} as const satisfies Record<string, Knob>;
export type KnobName = keyof typeof knobs;

/** Figures that were measured, or that the code promises. `figures.ts` reads them, each from its source. */
export const figureNames = {
  sessionBytes: { unit: 'B', says: 'memory of one session in the store, overhead included' },
  tombstoneBytes: { unit: 'B', says: 'memory of one tombstone' },
  readsPerSecond: { unit: '/s', says: 'sessions that one Redis and one client read a second, a million in the store' },
  gatewayWarmUs: { unit: 'us', says: 'gateway, a request whose person is known' },
  gatewayAskedUs: { unit: 'us', says: 'gateway, a request that asks auth' },
  gatewayTokenUs: { unit: 'us', says: 'gateway, a request with an access token' },
  authUs: { unit: 'us', says: 'auth, one question' },
  storeUs: { unit: 'us', says: 'Redis, one question' },
  backendUs: { unit: 'us', says: 'service behind, a request whose passport it has seen' },
  recordBytes: { unit: 'B', says: 'one revocation on the feed, signature included' },
  beatBytes: { unit: 'B', says: 'one heartbeat on the feed' },
  verifyUs: { unit: 'us', says: 'a reader verifies and notes one revocation' },
  heardMs: { unit: 'ms', says: 'p99 until the other gateway refuses an ended session' },
  cutMs: { unit: 'ms', says: 'the same with the feed cut, at worst' },
  freshS: { unit: 's', says: 'an answer of auth serves at a gateway, in the mean' },
  roomCount: { unit: '', says: 'people that the cache of one gateway holds' },
  rememberS: { unit: 's', says: 'how long a reader remembers a revocation' },
  rememberedMax: { unit: '', says: 'revocations that a reader can remember; beyond it distrusts all' },
  accessS: { unit: 's', says: 'life of an access token' },
  touchS: { unit: 's', says: 'a session is written at most once in' },
  tombstoneS: { unit: 's', says: 'life of a tombstone' },
} as const satisfies Record<string, { readonly unit: string; readonly says: string }>;
export type FigureName = keyof typeof figureNames;
export type Figures = Readonly<Record<FigureName, { readonly value: number; readonly source: string }>>;

const stepNames = [
  'sessions',
  'rps',
  'active',
  'gatewaysLeast',
  'met',
  'perGateway',
  'knownEach',
  'entries',
  'cachedS',
  'asks',
  'questions',
  'revs',
  'writes',
  'bytes',
  'kept',
  'byMemory',
  'byReads',
  'shards',
  'shardsEach',
  'nodes',
  'gatewayUs',
  'gateways',
  'auths',
  'services',
  'stores',
  'cores',
  'readers',
  'heard',
  'beats',
  'feedRecords',
  'feedBytes',
  'readerCores',
  'remembered',
  'partitions',
  'acceptedMs',
  'shardPeople',
  'outageRequests',
  'failedPart',
] as const;
export type StepName = (typeof stepNames)[number];

type Values = Readonly<Record<KnobName | FigureName | StepName, number>>;
type Formula = (v: Values) => number;
/** A mode may have a formula of its own. */
type Formulas = Formula | Readonly<Record<Mode, Formula>>;
interface Step {
  readonly unit: string;
  readonly says: string;
  readonly of: Formulas;
}

const asked: Formula = () => 1;
const carried: Formula = (v) => Math.min(1, Math.max(1 / v.visit, v.gap / v.accessS));
const each = (reference: Formula, hybrid: Formula, denylist: Formula, jwt: Formula): Formulas => ({
  reference,
  hybrid,
  'jwt-denylist': denylist,
  jwt,
});

/** In the order in which they are computed. */
const steps: Readonly<Record<StepName, Step>> = {
  sessions: { unit: '', says: 'live sessions', of: (v) => v.people * v.devices },
  rps: { unit: '/s', says: 'requests in the busiest hour', of: (v) => (v.people * v.requests * v.peak) / 86_400 },
  active: { unit: '', says: 'people in a visit at one moment (Little)', of: (v) => v.rps * v.gap },
  gatewaysLeast: { unit: '', says: 'gateways, if nobody had to be asked', of: (v) => Math.ceil((v.rps * v.gatewayWarmUs) / 1e6 / v.load) },
  met: { unit: '', says: 'gateways that one person meets', of: (v) => (v.spread === 0 ? v.gatewaysLeast : v.spread) },
  perGateway: { unit: '/s', says: 'requests at one gateway', of: (v) => v.rps / Math.max(v.gatewaysLeast, v.met) },
  knownEach: { unit: '', says: 'people that meet one gateway', of: (v) => v.perGateway * v.gap * v.met },
  entries: {
    unit: '',
    says: 'answers that one gateway would like to keep',
    of: (v) => (v.knownEach * v.freshS) / (v.freshS + v.gap * v.met),
  },
  cachedS: {
    unit: 's',
    says: 'how long an answer stays in a gateway’s cache',
    of: (v) => (v.lease === 0 ? 0 : v.entries <= v.roomCount ? v.freshS : (v.roomCount * v.gap * v.met) / (v.knownEach - v.roomCount)),
  },
  asks: {
    unit: '',
    says: 'questions to auth for each request',
    of: each(asked, (v) => 1 - (v.cachedS / (v.cachedS + v.gap * v.met)) * (1 - 1 / v.visit), carried, carried),
  },
  questions: { unit: '/s', says: 'questions at auth, each one read of a shard', of: (v) => v.rps * v.asks },
  revs: { unit: '/s', says: 'sessions that end in the busiest hour', of: (v) => (v.people * v.revocations * v.peak) / 86_400 },
  writes: { unit: '/s', says: 'writes: touches, begins and ends', of: (v) => Math.min(v.questions, v.active / v.touchS) + 2 * v.revs },
  bytes: {
    unit: 'B',
    says: 'sessions and tombstones, one copy',
    of: (v) => v.sessions * v.sessionBytes + (v.revs / v.peak) * v.tombstoneS * v.tombstoneBytes,
  },
  kept: { unit: 'B', says: 'the same, all copies', of: (v) => v.bytes * v.copies },
  byMemory: { unit: '', says: 'shards that the memory needs', of: (v) => Math.ceil(v.bytes / (v.memory * 1e9)) },
  byReads: {
    unit: '',
    says: 'shards that reads and writes need',
    of: (v) => Math.ceil((v.questions + v.writes) / (v.readsPerSecond * v.load)),
  },
  shards: { unit: '', says: 'shards', of: (v) => Math.max(v.byMemory, v.byReads, v.regions) },
  shardsEach: { unit: '', says: 'shards of one region', of: (v) => Math.ceil(v.shards / v.regions) },
  nodes: { unit: '', says: 'Redis processes', of: (v) => v.shards * v.copies },
  gatewayUs: {
    unit: 'us',
    says: 'gateway, a request in the mean',
    of: each(
      (v) => v.gatewayAskedUs,
      (v) => v.gatewayWarmUs + v.asks * (v.gatewayAskedUs - v.gatewayWarmUs),
      (v) => v.gatewayTokenUs + v.asks * (v.gatewayAskedUs - v.gatewayWarmUs),
      (v) => v.gatewayTokenUs + v.asks * (v.gatewayAskedUs - v.gatewayWarmUs),
    ),
  },
  gateways: { unit: '', says: 'gateways, a core each', of: (v) => Math.max(v.spread, Math.ceil((v.rps * v.gatewayUs) / 1e6 / v.load)) },
  auths: { unit: '', says: 'processes of auth, a core each', of: (v) => Math.ceil((v.questions * v.authUs) / 1e6 / v.load) },
  services: { unit: '', says: 'processes of the services behind', of: (v) => Math.ceil((v.rps * v.backendUs) / 1e6 / v.load) },
  stores: { unit: '', says: 'cores of Redis', of: (v) => Math.ceil((v.questions * v.storeUs) / 1e6 / v.load) },
  cores: { unit: '', says: 'cores for identity: gateways, auth and Redis', of: (v) => v.gateways + v.auths + v.stores },
  readers: { unit: '', says: 'processes that hear the feed', of: (v) => v.gateways + v.services },
  heard: {
    unit: '/s',
    says: 'revocations that one process hears',
    of: (v) => (v.cells === 1 ? v.revs * Math.min(1, v.met / v.gateways) : v.revs),
  },
  beats: { unit: '/s', says: 'heartbeats, four in a lease', of: (v) => (v.lease === 0 ? 0 : 4 / v.lease) },
  feedRecords: { unit: '/s', says: 'records that the feed delivers', of: (v) => (v.heard + v.beats) * v.readers },
  feedBytes: {
    unit: 'B/s',
    says: 'bytes that the feed delivers',
    of: (v) => (v.heard * v.recordBytes + v.beats * v.beatBytes) * v.readers,
  },
  readerCores: { unit: '', says: 'cores that hearing takes in each process', of: (v) => (v.heard * v.verifyUs) / 1e6 },
  remembered: { unit: '', says: 'revocations that each process remembers', of: (v) => v.heard * v.rememberS },
  partitions: {
    unit: '',
    says: 'partitions of the feed, where no process hears more than one',
    of: (v) => Math.ceil(Math.max(1, v.remembered / v.rememberedMax, v.readerCores / v.load)),
  },
  acceptedMs: {
    unit: 'ms',
    says: 'an ended session is accepted elsewhere, p99',
    of: each(
      () => 0,
      (v) => (v.lease === 0 ? 0 : v.heardMs),
      (v) => (v.lease === 0 ? 0 : v.heardMs),
      (v) => v.accessS * 1_000,
    ),
  },
  shardPeople: { unit: '', says: 'people of one shard', of: (v) => v.people / v.shards },
  outageRequests: { unit: '', says: 'requests of a shard’s people while it fails over', of: (v) => (v.rps / v.shards) * v.failover },
  failedPart: { unit: '', says: 'part of these that fails: they had to ask', of: (v) => v.asks },
};

export interface Line {
  readonly name: StepName;
  readonly value: number;
  readonly unit: string;
  readonly says: string;
  readonly formula: string;
}
export interface Outcome {
  readonly values: Values;
  readonly lines: readonly Line[];
  /** Where this design ends: sentences. */
  readonly limits: readonly string[];
}

export type Wish = Readonly<Record<KnobName, number>>;
export const usualWish: Wish = Object.fromEntries(Object.entries(knobs).map(([name, { value }]) => [name, value])) as Record<
  KnobName,
  number
>;

export function simulate(mode: Mode, wish: Wish, figures: Figures): Outcome {
  const known = Object.entries(figures).map(([name, { value }]) => [name, value]);
  const values = { ...Object.fromEntries(known), ...wish } as Record<keyof Values, number>;
  const lines = stepNames.map((name): Line => {
    const { unit, says, of } = steps[name];
    const formula = typeof of === 'function' ? of : of[mode];
    values[name] = formula(values);
    return { name, value: values[name], unit, says, formula: spellFormula(formula) };
  });
  return { values, lines, limits: limitsOf(values) };
}

/** The text of the function that computed it: what is shown is what ran. */
const spellFormula = (formula: Formula): string =>
  String(formula)
    .replace(/^\(v?\)\s*=>\s*/, '')
    .replaceAll(/\bv\./g, '')
    .replaceAll('Math.', '')
    .replaceAll(/(?<=\d)_(?=\d)/g, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/^\((.*)\)$/, (all, inner: string) => (inner.includes(') ') ? all : inner));

function limitsOf(v: Values): string[] {
  const limits: string[] = [];
  const say = (isBeyond: boolean, text: string): void => void (isBeyond && limits.push(text));
  say(
    v.remembered > v.rememberedMax,
    `Each process would have to remember ${spell(v.remembered)} revocations. Beyond ${spell(v.rememberedMax)} it distrusts its cache, and asks for each request.`,
  );
  say(
    v.readerCores > v.load,
    `Hearing the feed would take ${spell(v.readerCores)} of a core in each process, and ${spell(v.load)} may be used.`,
  );
  say(v.entries > v.roomCount, `A gateway would like to keep ${spell(v.entries)} answers, and its cache holds ${spell(v.roomCount)}.`);
  say(v.asks > 0.5 && v.acceptedMs > 0, 'More than half of all requests ask auth: the cache is of little use.');
  return limits;
}

const prefixes: readonly (readonly [number, string])[] = [
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Two digits that matter, and a unit that people say: 1,230,000 B is "1.2 MB", 0.4567 is "0.46". */
export function spell(value: number, unit = ''): string {
  if (unit === 'ms' && value >= 1_000) return spell(value / 1_000, 's');
  const isBytes = unit.startsWith('B');
  const [size, prefix] = prefixes.find(([least]) => value >= least && (isBytes || least >= 1e6)) ?? [1, ''];
  const scaled = value / size;
  const digits = scaled >= 100 ? Math.round(scaled) : Number(scaled.toPrecision(2));
  const text = digits.toLocaleString('en-US', { maximumFractionDigits: 2 });
  if (isBytes) return `${text} ${prefix}${unit}`;
  const words = { k: ' thousand', M: ' million', G: ' billion', T: ' trillion', P: ' quadrillion' } as Readonly<Record<string, string>>;
  return `${text}${words[prefix] ?? ''}${unit === '' || unit.startsWith('/') ? unit : ` ${unit}`}`;
}
