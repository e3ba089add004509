/** `npm start`: a person's view of the supervisor, from the first line to the last. */
import { relative } from 'node:path';
import type { Docker } from '../launch/docker.ts';
import { assembleStack } from '../launch/harness.ts';
import type { Inspect } from '../stack/inspect.ts';
import { followLogs } from './logs.ts';
import { openBrowser } from './open-browser.ts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import { openProgress } from './progress.ts';
import { chooseProvider } from '../launch/provider.ts';
import type { ProviderChoice } from '../launch/provider.ts';
import { dataDirOf, toolsDir } from '../stack/folders.ts';
import { isAlive, readState } from '../supervisor/state.ts';
import { defaultBase, profiles } from '../stack/stack.ts';
import type { Profile } from '../stack/stack.ts';
import { databases } from '../stack/stack.spec.ts';
import type { Database } from '../stack/stack.spec.ts';
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
    const chosen = await chooseProvider(request.infra, { env: process.env, toolsDir, say: progress.say });
    progress.say(`infrastructure: ${chosen.provider} (${chosen.why})`);
    if (chosen.docker !== undefined && request.profile !== 'cluster')
      return await runContainers(chosen.docker, request, ending.told, print);
    const origin = pagesOrigin(request.portBase, request.watch);
    supervisor = assembleStack({ ...request, chosen, base: request.portBase, onEvent: progress.event, pagesOrigin: origin });
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

function summary({ spec }: Supervisor, request: StartRequest, tookMs: number): string[] {
  const { inspect = [] } = request;
  const folder = relative(process.cwd(), spec.dataDir) || '.';
  return [
    '',
    `Cloakroom is ready in ${(tookMs / 1000).toFixed(1)} s (${spec.profile === 'cluster' ? `${spec.provider} cluster` : spec.provider}).`,
    `  shop    ${spec.gateways.join(' and ')}`,
    `  logs    ${folder}/logs (or ${logsCommand(request)})`,
    ...inspect.map(({ service, port }) => `  debug   ${service} on 127.0.0.1:${port} (.vscode/launch.json, or chrome://inspect)`),
    '  status  npm run status',
    '  stop    Ctrl-C',
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
