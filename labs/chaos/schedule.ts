/**
 * The faults of a run, and their times. Pure: profile, seed, length and the machine's abilities decide all of it, so a run can be repeated. The order
 * is fixed, but not the milliseconds: a broker that comes back late delays the faults after it.
 */
import { deckOf, randomOf } from './random.ts';

export const faultNames = [
  'kill',
  'pause',
  'cut',
  'hold',
  'latency',
  'reset',
  'skew',
  'rebalance',
  'disk-full',
  'slots',
  'partition',
  'ocean-cut',
  'ocean-hold',
  'ocean-slow',
  'mirror',
  'region',
] as const;
export type FaultName = (typeof faultNames)[number];

/** The text of --help for each fault. */
export const faultMeanings: Readonly<Record<FaultName, string>> = {
  kill: 'kill -9 of a process, which is kept down for some seconds and then started again',
  pause: 'SIGSTOP, and SIGCONT some seconds later',
  cut: 'every TCP connection to one storage or service ends, and new ones are refused (native)',
  hold: 'a one-way cut: requests or answers of one storage or service do not arrive until it is over (native)',
  latency: '20 to 400 ms each way to one storage or service (native)',
  reset: 'every connection to one storage or service is reset, again and again (native)',
  skew: 'the wall clock of one service is 1.5 to 30 s ahead or behind',
  rebalance: 'a cart process is killed, or paused longer than the session of its consumer group, again and again',
  'disk-full': 'the disk of a broker has no byte left (Linux, root)',
  slots: "slots of the sessions' Redis Cluster move to other nodes (cluster)",
  partition: 'brokers in separate network namespaces cannot reach each other (cluster, Linux, root)',
  'ocean-cut': 'the ocean is cut: both ways, one way, or for connections that one side dials (regions)',
  'ocean-hold': 'the ocean holds everything, both ways or one way, and lets it arrive when it is over (regions)',
  'ocean-slow': 'a round trip over the ocean takes 0.2 to 3 s (regions)',
  mirror: 'one MirrorMaker is killed, or paused (regions)',
  region: 'every process of one region is killed, and started again some seconds later (regions)',
};

/** @returns the error in the names asked for */
export function unknownFaults(asked: readonly string[]): string | undefined {
  const unknown = asked.filter((name) => !faultNames.some((known) => known === name));
  return unknown.length === 0 ? undefined : `no fault ${unknown.join(', ')}: one of ${faultNames.join(', ')}`;
}

export interface PlannedFault {
  readonly name: FaultName;
  readonly target: string;
  /** From the run's start. */
  readonly startMs: number;
  readonly forMs: number;
  /** In [0, 1). It decides the rest of the fault: its latency, direction or skew. */
  readonly dial: number;
}

export interface Choice {
  readonly name: FaultName;
  readonly targets: readonly string[];
  readonly forMs: readonly [min: number, max: number];
  /** Such a fault runs alone: it needs the whole stack, or another fault would prevent its healing. */
  readonly alone?: boolean;
  /** How often it is dealt for each time that another fault is dealt. */
  readonly weight?: number;
}

export interface MenuRequest {
  /** The processes of the drawing. */
  readonly processes: readonly string[];
  /** Storage and services behind a proxy. */
  readonly proxied: readonly string[];
  /** Brokers whose folder is on a small disk of its own. */
  readonly smallDisks: readonly string[];
  /** Brokers in a network namespace of their own. */
  readonly namespaces: readonly string[];
  /** The faults asked for; all by default. */
  readonly only?: readonly FaultName[] | undefined;
}

const services = /^(auth|cart|profile|catalog|orders|gateway)(-(\d|eu|us))?$/;
/** The projectors of all regions and replicas. */
export const isCart = (name: string): boolean => /^cart(-(\d|eu|us))?$/.test(name);

export function menuOf(request: MenuRequest): Choice[] {
  const { processes, proxied, smallDisks, namespaces } = request;
  const carts = processes.filter(isCart);
  const cluster = processes.filter((name) => /^redis-sessions-\d$/.test(name));
  const oceans = processes.filter((name) => name === 'ocean');
  // The ocean has faults of its own. A killed one would begin healed.
  const mortal = processes.filter((name) => name !== 'ocean');
  const mirrors = processes.filter((name) => name.startsWith('mirror-'));
  const choices: Choice[] = [
    { name: 'kill', targets: mortal, forMs: [500, 6_000], weight: 3 },
    { name: 'pause', targets: mortal, forMs: [1_000, 9_000], weight: 3 },
    { name: 'cut', targets: proxied, forMs: [1_000, 6_000], weight: 2 },
    { name: 'hold', targets: proxied, forMs: [1_000, 7_000], weight: 4 },
    { name: 'latency', targets: proxied, forMs: [3_000, 8_000], weight: 2 },
    { name: 'reset', targets: proxied, forMs: [2_000, 5_000] },
    { name: 'skew', targets: processes.filter((name) => services.test(name)), forMs: [4_000, 10_000], weight: 2 },
    { name: 'rebalance', targets: carts.length > 0 ? ['cart'] : [], forMs: [14_000, 20_000], alone: true },
    { name: 'disk-full', targets: smallDisks, forMs: [3_000, 6_000], alone: true },
    { name: 'slots', targets: cluster.length > 0 ? ['redis-sessions'] : [], forMs: [5_000, 10_000], alone: true, weight: 2 },
    { name: 'partition', targets: namespaces, forMs: [4_000, 10_000], weight: 4 },
    { name: 'ocean-cut', targets: oceans, forMs: [3_000, 20_000], weight: 5 },
    { name: 'ocean-hold', targets: oceans, forMs: [3_000, 15_000], weight: 4 },
    { name: 'ocean-slow', targets: oceans, forMs: [4_000, 12_000], weight: 2 },
    { name: 'mirror', targets: mirrors, forMs: [2_000, 10_000], weight: 3 },
    { name: 'region', targets: mirrors.map((name) => name.slice('mirror-'.length)), forMs: [2_000, 8_000], alone: true, weight: 3 },
  ];
  return choices.filter(({ name, targets }) => targets.length > 0 && (request.only === undefined || request.only.includes(name)));
}

/**
 * Long enough to write and read in peace, and to see the damage of a fault. Shorter than a consumer's session, so that some faults overlap its end.
 */
const healthyMs = [2_000, 6_000] as const;
/** The share of faults that strike beside another fault. */
const togetherShare = 0.3;

/** @returns the faults in the order of their start; all end before `totalMs` if the stack lets them */
export function scheduleOf(menu: readonly Choice[], seed: number, totalMs: number): PlannedFault[] {
  if (menu.length === 0) return [];
  const random = randomOf(seed);
  const deal = deckOf(
    menu.flatMap((choice) => Array.from({ length: choice.weight ?? 1 }, () => choice)),
    random,
  );
  const targets = new Map(menu.map(({ name, targets: all }) => [name, deckOf(all, random)]));
  const planned: PlannedFault[] = [];
  const plan = (choice: Choice, startMs: number, taken?: string): PlannedFault | undefined => {
    const target = targets.get(choice.name)!();
    const forMs = Math.round(random.between(...choice.forMs));
    const fault = { name: choice.name, target, startMs: Math.round(startMs), forMs, dial: random.next() };
    return target === taken || startMs + forMs > totalMs ? undefined : fault;
  };
  for (let at = random.between(...healthyMs); at < totalMs;) {
    const first = deal();
    const one = plan(first, at);
    const together = random.next() < togetherShare;
    const second = together && first.alone !== true ? deal() : undefined;
    const offsetMs = random.between(0, Math.min(2_000, one?.forMs ?? 0));
    const other = second === undefined || second.alone === true || one === undefined ? undefined : plan(second, at + offsetMs, one.target);
    const both = [one, other].filter((fault) => fault !== undefined);
    planned.push(...both);
    const endMs = Math.max(at, ...both.map(({ startMs, forMs }) => startMs + forMs));
    at = endMs + random.between(...healthyMs);
  }
  return planned;
}
