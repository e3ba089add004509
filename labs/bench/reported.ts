/** The benchmarks that leave a report, with their options: the command, the code that runs, and the report. */
import { describeMachine, loadNow, type Machine } from './measuring/machine.ts';
import { modes, type Mode } from './measuring/people.ts';
import { isSound, print, type Report, writeReport } from './measuring/report.ts';

export const benchOptions = {
  runs: { type: 'string' },
  pairs: { type: 'string' },
  seconds: { type: 'string' },
  'store-rtt': { type: 'string' },
  sessions: { type: 'string' },
  modes: { type: 'string' },
  trials: { type: 'string' },
  cuts: { type: 'string' },
  base: { type: 'string' },
  quick: { type: 'boolean' },
  native: { type: 'boolean' },
  profile: { type: 'boolean' },
  publish: { type: 'boolean' },
  afresh: { type: 'boolean' },
  docs: { type: 'string' },
} as const;

export type Values = {
  readonly [Name in keyof typeof benchOptions]?: ((typeof benchOptions)[Name]['type'] extends 'string' ? string : boolean) | undefined;
};

export const helpText = `npm run bench -- start [--runs N]       time from \`npm start\` to ready, and memory (PSS) of all it started, on embedded, native and native with PostgreSQL
npm run bench -- telemetry [--runs N]   the cost of telemetry for a call that appends to the log: hooks bypassed, off, on; N rounds a set, 20 by default
npm run bench -- passports [--pairs 15] the CPU of signing and verifying a passport, by ES256 and by Ed25519; in this process, half a minute at most
npm run bench -- edge [--pairs 5] [--seconds 3] [--store-rtt 0,1,5] [--modes a,b] [--profile]
                                        the gateway in each session mode, compared with the least that a front can do
npm run bench -- edge-distance [--pairs 5] [--seconds 3] [--store-rtt 0,1,5]
                                        which requests wait for a session store that is further away
npm run bench -- peers [--pairs 5] [--seconds 3]
                                        the same request behind express-session, @fastify/session and better-auth
npm run bench -- revocation [--trials 10000] [--cuts 50] [--sessions 200] [--modes a,b]
                                        the time from the acknowledged logout to the last acceptance; also with the feed cut, N sessions for each cut
npm run bench -- regions [--pairs 5] [--trials 1000] [--quick]
                                        what a person pays who is abroad, by the length of the ocean and while it is cut; and how long abroad accepts what home ended
npm run bench -- store [--pairs 7] [--seconds 1] [--sessions 1000000]
                                        round trips, bytes for each session, and resolve compared with a plain GET
npm run bench -- feed [--pairs 15]      bytes of a revocation on the feed, and the CPU that hearing it takes; in this process, a few seconds
npm run bench -- login-storm [--pairs 5] [--seconds 3]
                                        how much a storm of sign-ins slows people who are signed in
npm run bench -- cart [--pairs 5] [--seconds 3] [--quick] [--profile]
                                        the time until a command is visible, commands a second, replay, size and history, lost updates
npm run bench -- observatory [--pairs 8] [--seconds 1] [--profile]
                                        the CPU of a request with and without the Observatory, and with fault points in and off; 5 minutes at most
npm run bench -- fault-points [--pairs 21]
                                        the CPU that each fault point adds while no switch is on; in this process, half a minute at most
npm run bench -- memory [--seconds 60] [--native]
                                        what the Observatory, and embedded as a whole, take after a minute of use
npm run bench -- young-generation [--runs 3] [--pairs 10] [--seconds 0.5]
                                        the CPU of a request to embedded with its small young generation and with Node's own; N processes of each
npm run bench -- publish [--quick] [--afresh]
                                        every benchmark of docs/performance.md in sequence, 52 minutes at most; writes its tables there. Results
                                        published at this commit are kept (--afresh measures them again). --quick: a rehearsal, to a copy

With --publish a benchmark puts its tables into docs/performance.md. A starved floor (labs/bench/measuring/starved.ts) ends it with exit code 1, unpublished.`;

/** Ports apart from those of a shop in use (4000), the tests (5000 to 7000) and the start benchmark (9300). */
export const baseDefault = 26_000;

/** A burst is noisy, and a fault point costs next to nothing: so many pairs bring the error below a microsecond. */
const burstPairsPerPair = 12;

type Run = (values: Values, machine: Machine, command: string) => Promise<Report | undefined>;

const reported = {
  edge: async (values, machine, command) => {
    const { benchEdge, edgeReport } = await import('./edge/edge.ts');
    const measured = await benchEdge({ ...edgeOf(values), halfLoad: true });
    return measured === undefined ? undefined : edgeReport(measured, machine, command);
  },
  'edge-distance': async (values, machine, command) => {
    const [{ benchEdge }, { distanceReport }] = await Promise.all([import('./edge/edge.ts'), import('./edge/edge.distance.ts')]);
    const measured = await benchEdge({ ...edgeOf(values), halfLoad: false, profile: false });
    return distanceReport(measured!, machine, command);
  },
  peers: async (values, machine, command) => {
    const [{ benchPeers }, { peersReport }] = await Promise.all([import('./edge/peers.ts'), import('./edge/peers.report.ts')]);
    const request = {
      base: count(values.base, baseDefault),
      pairs: count(values.pairs, 5),
      seconds: Number(values.seconds ?? 3),
      personCount: 20,
      warmUpSeconds: 0.5,
    };
    return peersReport(await benchPeers(request), machine, command);
  },
  revocation: async (values, machine, command) => {
    const [{ benchRevocation }, { revocationReport }] = await Promise.all([
      import('./sessions/revocation.ts'),
      import('./sessions/revocation.report.ts'),
    ]);
    const measured = await benchRevocation({
      base: count(values.base, baseDefault),
      modes: modesOf(values.modes),
      trials: count(values.trials, 10_000),
      cuts: Number(values.cuts ?? 50),
      sessionsPerCut: count(values.sessions, 200),
      personCount: 20,
    });
    return revocationReport(measured, machine, command);
  },
  regions: async (values, machine, command) => {
    const [{ benchRegions }, { regionsReport }, { regionsSizes }] = await Promise.all([
      import('./regions/regions.ts'),
      import('./regions/regions.report.ts'),
      import('./regions/regions.sizes.ts'),
    ]);
    const { rounds, trials, ...sizes } = regionsSizes[values.quick === true ? 'quick' : 'whole'];
    const measured = await benchRegions({
      ...sizes,
      base: count(values.base, baseDefault),
      rounds: count(values.pairs, rounds),
      trials: count(values.trials, trials),
    });
    return regionsReport(measured, machine, command);
  },
  store: async (values, machine, command) => {
    const [{ benchStore }, { storeReport }] = await Promise.all([import('./sessions/store.ts'), import('./sessions/store.report.ts')]);
    const measured = await benchStore({
      base: count(values.base, baseDefault),
      pairs: count(values.pairs, 7),
      seconds: Number(values.seconds ?? 1),
      sessionCountMax: count(values.sessions, 1_000_000),
    });
    return storeReport(measured, machine, command);
  },
  feed: async (values, machine, command) => {
    const { benchFeed, feedReport } = await import('./sessions/feed.ts');
    return feedReport(await benchFeed(count(values.pairs, 15)), machine, command);
  },
  'login-storm': async (values, machine, command) => {
    const [{ benchLoginStorm }, { loginStormReport }] = await Promise.all([
      import('./sessions/login-storm.ts'),
      import('./sessions/login-storm.report.ts'),
    ]);
    const pairs = await benchLoginStorm({ pairs: count(values.pairs, 5), seconds: Number(values.seconds ?? 3) });
    return loginStormReport(pairs, machine, command);
  },
  cart: async (values, machine, command) => {
    const [{ benchCart }, { cartReport }, { cartSizes }] = await Promise.all([
      import('./cart/bench-cart.ts'),
      import('./cart/cart.report.ts'),
      import('./cart/cart.sizes.ts'),
    ]);
    const { pairs, seconds, ...sizes } = cartSizes[values.quick === true ? 'quick' : 'whole'];
    const measured = await benchCart({
      ...sizes,
      base: count(values.base, baseDefault),
      pairs: count(values.pairs, pairs),
      seconds: Number(values.seconds ?? seconds),
      profile: values.profile === true,
    });
    return measured === undefined ? undefined : cartReport(measured, machine, command);
  },
  observatory: async (values, machine, command) => {
    const [{ benchObservatory }, { observatoryReport }] = await Promise.all([
      import('./observatory/observatory.ts'),
      import('./observatory/observatory.report.ts'),
    ]);
    const pairs = count(values.pairs, 8);
    const measured = await benchObservatory({
      base: count(values.base, baseDefault),
      pairs,
      seconds: Number(values.seconds ?? 1),
      personCount: 20,
      warmUpSeconds: 0.2,
      burstPairs: pairs * burstPairsPerPair,
      profile: values.profile === true,
    });
    return measured === undefined ? undefined : observatoryReport(measured, machine, command);
  },
} as const satisfies Record<string, Run>;

function edgeOf(values: Values) {
  return {
    base: count(values.base, baseDefault),
    pairs: count(values.pairs, 5),
    seconds: Number(values.seconds ?? 3),
    modes: modesOf(values.modes),
    storeRttsMs: (values['store-rtt'] ?? '0,1,5').split(',').map(Number),
    coldSessionCount: count(values.sessions, 30_000),
    personCount: 20,
    warmUpSeconds: 0.5,
    profile: values.profile === true,
  };
}

export const isReported = (name: string): name is keyof typeof reported => Object.hasOwn(reported, name);

/** @returns the exit code: 1 where a floor was starved, unless it is a rehearsal */
export async function runReported(name: keyof typeof reported, values: Values): Promise<number> {
  const machine = describeMachine(new Date());
  const typed = Object.entries(values).filter(([option]) => option !== 'publish' && option !== 'docs');
  const command = ['npm run bench --', name, ...typed.map(([option, value]) => (value === true ? `--${option}` : `--${option} ${value}`))];
  const measured = await reported[name](values, machine, command.join(' '));
  if (measured === undefined) return 0;
  const report = { ...measured, machine: { ...measured.machine, loadAfter: loadNow() } };
  const { publish = false, docs } = values;
  print(report, await writeReport(report, { publish, ...(docs !== undefined && { docs }) }));
  return docs !== undefined || isSound(report) ? 0 : 1;
}

function count(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text} is not a count`);
  return value;
}

/** All modes by default. The benchmark itself leaves out a mode that is not allowed where it runs. */
function modesOf(text: string | undefined): readonly Mode[] {
  const wanted = text?.split(',') ?? modes;
  return wanted.map((name) => {
    const mode = modes.find((one) => one === name);
    if (mode === undefined) throw new Error(`${name} is not a mode, which are ${modes.join(', ')}`);
    return mode;
  });
}
