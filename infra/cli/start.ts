/** `npm start`: a person's view of the supervisor, from the first line to the last. */
import { relative } from 'node:path';
import type { Docker } from '../launch/docker.ts';
import { assembleStack } from '../launch/harness.ts';
import type { Inspect } from '../stack/inspect.ts';
import { blockedPortAmong } from './arguments.ts';
import { followLogs } from './logs.ts';
import { nameOfRun } from './name-of-run.ts';
import { openBrowser } from './open-browser.ts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import { openProgress } from './progress.ts';
import { chooseProvider, completeFor } from '../launch/provider.ts';
import type { ProviderChoice } from '../launch/provider.ts';
import { dataDirOf, toolsDir } from '../stack/folders.ts';
import { isAlive, pageAddress, readState } from '../supervisor/state.ts';
import { defaultBase, profiles } from '../stack/stack.ts';
import type { Profile } from '../stack/stack.ts';
import { databases } from '../stack/stack.spec.ts';
import type { Database } from '../stack/stack.spec.ts';
import { portTaken } from '../supervisor/probe.ts';
import { portsOf, regionHttpPortsOf, regionNames } from '../stack/stack.ports.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { untilToldToEnd } from './until-told-to-end.ts';
import { pagesOrigin } from '../watch/choice.ts';
import type { WatchChoice } from '../watch/choice.ts';
import { openEditLoop } from '../watch/edit-loop.ts';
import type { EditLoop } from '../watch/edit-loop.ts';

export interface StartRequest {
  readonly infra: ProviderChoice;
  readonly profile?: Profile;
  readonly portBase: number;
  readonly fresh: boolean;
  readonly logs: boolean;
  readonly logLevel?: string;
  readonly sessionMode?: string;
  readonly sessionModes?: string;
  readonly database?: Database;
  readonly open?: boolean;
  readonly inspect?: readonly Inspect[];
  readonly watch?: WatchChoice;
  /** Started by default, on native and embedded. */
  readonly observatory?: boolean;
  /** Only with two regions. */
  readonly oceanRttMs?: number | undefined;
}

/** The options that say which shop is meant, where several may run. */
export type StartPlace = Pick<StartRequest, 'infra' | 'profile' | 'portBase' | 'database'>;

/** The bytes that --logs first shows of a run that is already there. */
const tailBytes = 4_000;

type Print = (line: string) => void;

/** @returns the exit code */
export async function start(request: StartRequest, print: Print): Promise<number> {
  if (request.logs && (await followRunning(request, print))) return 0;
  const began = performance.now();
  const ending = untilToldToEnd(print);
  const progress = openProgress(print);
  let supervisor: Supervisor | undefined;
  let edits: EditLoop | undefined;
  try {
    const around = { env: process.env, toolsDir, say: progress.say };
    const found = await chooseProvider(request.infra, around);
    progress.say(`infrastructure: ${found.provider} (${found.why})`);
    const { profile = 'usual' } = request;
    checkRegions(request);
    const chosen = await completeFor(profile, found, around);
    if (chosen.docker !== undefined && profile !== 'cluster') return await runContainers(chosen.docker, request, ending.told, print);
    const origin = pagesOrigin(request.portBase, request.watch);
    // It is a tool of one's own machine: a Redis and a Kafka of others serve more than one person.
    const isLocal = chosen.provider === 'native' || chosen.provider === 'embedded';
    const observatory = request.observatory !== false && isLocal && (await observatoryPortIsFree(request.portBase, progress.say));
    supervisor = assembleStack({ ...request, chosen, base: request.portBase, onEvent: progress.event, pagesOrigin: origin, observatory });
    if (request.watch !== undefined) edits = openEditLoop(supervisor, request.watch, print);
    const unfollow = request.logs ? followLogs(logFiles(supervisor), print) : undefined;
    const started = progress.watch(supervisor, supervisor.start({ fresh: request.fresh }));
    // A stop during the start makes the start fail. Such a failure needs no report.
    const first = await Promise.race([started.then(() => 'ready' as const), ending.told]);
    if (first !== 'ready') started.catch(() => undefined);
    else {
      const tookMs = performance.now() - began;
      const more = (await edits?.begin()) ?? [];
      for (const line of [...summary(supervisor, request, tookMs), ...more]) print(line);
      if (request.open === true) openBrowser(origin ?? supervisor.spec.gateways[0]);
    }
    await ending.told;
    await Promise.all([edits?.stop(), supervisor.stop()]);
    unfollow?.();
    print('Stopped.');
    return 0;
  } catch (error) {
    // stop() comes first: nothing must be left running, whatever is printed afterwards.
    await Promise.all([edits?.stop(), supervisor?.stop()]);
    process.stderr.write(`Cloakroom did not start: ${describeFailure(error)}\n`);
    return 1;
  } finally {
    ending.forget();
  }
}

/** @throws StackError for options that do not fit the profile */
function checkRegions({ profile, portBase, oceanRttMs }: StartRequest): void {
  if (profile !== 'regions') {
    if (oceanRttMs !== undefined) throw new StackError('--ocean: one region has no ocean', 'npm start -- --profile regions');
    return;
  }
  const blocked = blockedPortAmong(regionHttpPortsOf(portBase));
  if (blocked !== undefined)
    throw new StackError(`fetch refuses port ${blocked}, which two regions on ${portBase} would use`, 'choose another --port-base');
}

/** The services would tell whoever listens there what people do, and take faults from it. So then they are told of no Observatory. */
async function observatoryPortIsFree(base: number, say: (line: string) => void): Promise<boolean> {
  const port = portsOf(base).observatory;
  const taken = await Promise.all(['127.0.0.1', '::1'].map((host) => portTaken(port, host)));
  if (taken.includes(true))
    say(`port ${port} is in use: the shop starts without its Observatory (end what uses it, or choose --port-base)`);
  return !taken.includes(true);
}

/** The same in containers: compose is their supervisor. */
async function runContainers(docker: Docker, request: StartRequest, told: Promise<string>, print: Print): Promise<number> {
  if (request.watch !== undefined) throw new StackError('--watch reaches no container', 'use --infra native or --infra embedded');
  if ((request.inspect ?? []).length > 0) throw new StackError('--inspect reaches no container', 'use --infra native or --infra embedded');
  const { startContainers } = await import('../containers/start-in-containers.ts');
  const began = performance.now();
  const abandon = new AbortController();
  let isReady = false;
  void told.then(() => isReady || abandon.abort());
  try {
    const running = await startContainers(docker, { ...request, base: request.portBase }, print, abandon.signal);
    isReady = true;
    const [first, second] = running.gateways;
    print(`\nCloakroom is ready in ${((performance.now() - began) / 1000).toFixed(1)} s (docker).`);
    print(`  shop    ${first} and ${second}`);
    print(`  logs    docker compose -p ${running.project} logs --follow`);
    print(`  status  docker compose -p ${running.project} ps`);
    print('  stop    Ctrl-C (data stays in the volumes; --fresh removes it)');
    if (request.open === true) openBrowser(first);
    await told;
    await running.stop();
  } catch (error) {
    // The person asked it to stop while it started, so this is no failure.
    if (!abandon.signal.aborted) throw error;
  }
  print('Stopped.');
  return 0;
}

/** Finds the shop that was started with these options. Other options mean another shop, which `--logs` would start. */
export function logsCommand({ infra, profile, portBase, database }: StartPlace): string {
  const place = [
    ...(infra === 'auto' ? [] : ['--infra', infra]),
    ...(profile === undefined || profile === 'usual' ? [] : ['--profile', profile]),
    ...(portBase === defaultBase ? [] : ['--port-base', String(portBase)]),
    ...(database === undefined ? [] : ['--database', database]),
  ];
  return ['npm start --', ...place, '--logs'].join(' ');
}

function summary({ spec, observatory }: Supervisor, request: StartRequest, tookMs: number): string[] {
  const { inspect = [] } = request;
  const folder = relative(process.cwd(), spec.dataDir) || '.';
  return [
    '',
    `Cloakroom is ready in ${(tookMs / 1000).toFixed(1)} s (${nameOfRun(spec)}).`,
    `  shop         ${spec.profile === 'regions' ? spec.gateways.map((url, index) => `${regionNames[index]} ${url}`).join(', ') : spec.gateways.join(' and ')}`,
    ...(spec.profile === 'regions' ? ['  ocean        npm run ocean -- status (cut, hold, heal, rtt)'] : []),
    ...(observatory === undefined ? [] : [`  observatory  ${pageAddress(observatory)}`]),
    `  logs         ${folder}/logs (or ${logsCommand(request)})`,
    ...inspect.map(({ service, port }) => `  debug        ${service} on 127.0.0.1:${port} (.vscode/launch.json, or chrome://inspect)`),
    '  status       npm run status',
    '  stop         Ctrl-C',
  ];
}

function logFiles(supervisor: Supervisor) {
  return supervisor.spec.processes.map(({ name }) => ({ name, file: supervisor.logFile(name) }));
}

/** `npm start -- --logs` beside a running shop shows the logs of that shop. */
async function followRunning({ infra, portBase }: StartRequest, print: Print): Promise<boolean> {
  const candidates = infra === 'auto' ? (['external', 'native', 'embedded'] as const) : [infra];
  const state = candidates
    .flatMap((provider) =>
      profiles.flatMap((profile) => databases.map((database) => readState(dataDirOf(provider, portBase, database, profile)))),
    )
    .find((found) => found !== undefined && isAlive(found.supervisor));
  if (state === undefined) return false;
  print(`It is running already (${state.provider}): its logs, until Ctrl-C.`);
  const unfollow = followLogs(
    state.processes.map(({ name, logFile }) => ({ name, file: logFile })),
    print,
    tailBytes,
  );
  const ending = untilToldToEnd(() => undefined);
  await ending.told;
  unfollow();
  ending.forget();
  return true;
}
