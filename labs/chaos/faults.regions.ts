/** Faults between two regions, and of a region as a whole. The ocean itself is told what to do, as `npm run ocean` does it. */
import { connect as connectTls } from 'node:tls';
import { regionNames, regionPortsOf } from '../../infra/stack/stack.ports.ts';
import type { RegionName } from '../../infra/stack/stack.ports.ts';
import { otherRegion } from '../../infra/stack/stack.regions.ts';
import { mirrorWayOf, oceanFaultOf } from './fault-settings.ts';
import { bounded, runningProcess } from './fault.ts';
import type { Inject } from './fault.ts';
import { answers, kill, pause } from './faults.processes.ts';
import type { Stage } from './stage.ts';

const askTimeoutMs = 1_000;
/** Two clocks, and a timer that may fire early. */
const slackMs = 5;

/** @returns after how many milliseconds the auth of the other region had answered a TLS handshake of this one; undefined when it did not */
function askedAcross({ stack }: Stage, from: RegionName): Promise<number | undefined> {
  const began = performance.now();
  const { auth } = regionPortsOf(stack.spec.base, otherRegion(from)).acrossOcean;
  return new Promise((resolve) => {
    // This check does not depend on the owner of the certificate.
    const socket = connectTls({ port: auth, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const end = (tookMs: number | undefined) => {
      socket.destroy();
      resolve(tookMs);
    };
    socket.setTimeout(askTimeoutMs, () => end(undefined));
    socket.once('secureConnect', () => end(performance.now() - began));
    socket.once('error', () => end(undefined));
    socket.once('close', () => end(undefined));
  });
}

/** A cut or a held way lets no question get its answer, whoever asks. Refused dials concern one side, and a slow ocean is late on both. */
export const ocean: Inject = async (stage, planned) => {
  const { command } = oceanFaultOf(planned)!;
  await stage.ocean(command);
  const wayOf = (region: RegionName) => `${region}-${otherRegion(region)}`;
  const askers = command.do === 'refuse-dials' ? regionNames.filter((region) => wayOf(region) === command.way) : regionNames;
  const leastMs = command.do === 'rtt' ? command.rttMs - slackMs : Number.POSITIVE_INFINITY;
  return {
    doubt: async () => {
      const told = await Promise.all(askers.map((region) => askedAcross(stage, region)));
      const soon = askers.filter((_, index) => (told[index] ?? Number.POSITIVE_INFINITY) < leastMs);
      return soon.length === 0 ? undefined : `${soon.map(otherRegion).join(' and ')} answered across the ocean`;
    },
    heal: async () => {
      await stage.ocean({ do: 'heal' });
      await stage.ocean({ do: 'rtt', rttMs: stage.oceanRttMs });
    },
  };
};

/** MirrorMaker forgets what it did since its last note, and copies it again. */
export const mirror: Inject = (stage, planned) => (mirrorWayOf(planned.dial) === 'killed' ? kill : pause)(stage, planned);

/** Storage first, as after a power cut: a service that finds no storage ends, and is started again later each time. */
const isStorage = (name: string): boolean => /^(redis|kafka)-/.test(name);

export const region: Inject = async (stage, { target }) => {
  const names = stage.stack.spec.processes.filter((spec) => spec.region === target).map(({ name }) => name);
  const processes = await Promise.all(names.map((name) => runningProcess(stage, name)));
  await Promise.all(processes.map((process) => process.takeAway()));
  const start = (some: readonly string[]) =>
    Promise.all(some.map((name) => stage.stack.process(name as (typeof names)[number]).giveBack()));
  return {
    doubt: async () => (await Promise.all(names.map((name) => answers(stage, name)))).find((doubt) => doubt !== undefined),
    heal: async () => {
      await bounded(`the storage of ${target}`, start(names.filter(isStorage)));
      await bounded(`the services of ${target}`, start(names.filter((name) => !isStorage(name))));
    },
  };
};
