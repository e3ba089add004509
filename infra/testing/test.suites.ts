/** The suites of `npm test`, their order, and how each is run. */
import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDevServices } from '../launch/dev-services.ts';
import { runContainers } from './containers.suite.ts';
import { dataRoot, repository } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { testBases } from '../stack/test-bases.ts';
import {
  add,
  forgetReport,
  noCounts,
  readChaosOutput,
  readLabsOutput,
  readCheckOutput,
  readPlaywrightReport,
  readProofOutput,
  readVitestReport,
  withExitCode,
} from './reports.ts';
import type { Counts } from './reports.ts';
import { runCommand, runTool, type ToolName } from '../cli/tools.ts';

export type Print = (line: string) => void;

export type Need = 'native' | 'mirror' | 'browser' | 'postgres' | 'engine';

export interface Suite {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly run: (stage: Stage) => Promise<Counts>;
  /** The suite's part of `npm test -- --quick`, which leaves out a suite without one. */
  readonly quick?: (stage: Stage) => Promise<Counts>;
  /** The suite's part of `npm test -- --affected`, which leaves out a suite without one. */
  readonly affected?: (stage: Stage) => Promise<Counts>;
}

/**
 * The most that `npm test -- --quick` takes, on a clean tree and a quiet machine with 2 cores. If it took longer, people would stop waiting for it.
 */
export const quickSecondsMax = 6 * 60;
/** One file for each check that needs a real server: the session scripts in Redis, and a cart from Kafka's log into Redis. */
const quickIntegration = ['libs/session/src/session.store.redis.int.test.ts', 'apps/cart/src/cart.int.test.ts'];
const integrationFolders = {
  integration: ['libs', 'apps', 'infra', 'tools'],
  'integration-labs': ['labs/!(bench)'],
  benches: ['labs/bench'],
} as const;
/**
 * The promises of the first page, in a browser and over HTTP, by both gateways: the journey, the claim of a guest's cart, a logout, two devices, an
 * order.
 */
const quickJourneys = [
  'journey/golden-journey.e2e.ts',
  'carts/guest-cart-joins-on-login.e2e.ts',
  'sessions/logout-kills-the-cookie-everywhere.e2e.ts',
  'carts/two-devices-converge.e2e.ts',
  'orders/an-order-is-placed-once.e2e.ts',
];

/**
 * Parts of names of the files that run on `embedded`. Pages do not depend on the parts below, so they are tested there alone, as are views of the
 * Observatory that need no process of their own. Faults, modes of tokens and telemetry go other ways in one process. `native` runs every promise of
 * carts, sessions and orders, and the attacks, on real Redis and Kafka: here they took 4 minutes more.
 */
export const onEmbedded = ['/pages/', '.embedded.e2e.ts', 'telemetry/', 'faults/', 'sessions/token-modes.e2e.ts', ...quickJourneys];

/** The parts of the test run that a suite may use. */
export interface Stage {
  readonly print: Print;
  readonly interrupted: () => boolean;
  /** Gets the output of the commands that a suite runs. If undefined, they write to the terminal. */
  readonly onOutput: ((text: string) => void) | undefined;
}

export const quickFiles = [...quickIntegration, ...quickJourneys.map((file) => `e2e/${file}`)];

/**
 * The order of a whole run. Stages follow each other; the rows of a stage run beside each other, each from left to right.
 *
 * First comes what takes every core by itself. Then two shops at a time: these suites mostly wait for a fault to be noticed and healed. The two regions
 * and the cluster start 20 processes and more each, so they run beside `embedded`, which is one process, and first. Images are built while
 * `integration` waits. Both rows take about the same time. Last come suites that nothing may run beside: the benchmarks and the labs measure.
 */
export const stages: readonly (readonly (readonly Suite[])[])[] = [
  [
    [
      { name: 'check', needs: [], run: runChecks, quick: runChecks, affected: runChecks },
      { name: 'unit', needs: [], run: runUnit, quick: runUnit, affected: (stage) => runUnit(stage, 'affected') },
    ],
  ],
  [
    [
      {
        name: 'e2e-embedded',
        needs: ['browser'],
        run: browserSuite('embedded', onEmbedded),
        quick: browserSuite('embedded', quickJourneys),
      },
      { name: 'attack-proof', needs: ['browser'], run: runProof },
      { name: 'e2e-native', needs: ['native', 'browser'], run: browserSuite('native') },
      { name: 'e2e-native-postgres', needs: ['native', 'postgres', 'browser'], run: browserSuite('native-postgres') },
      { name: 'integration-labs', needs: ['native'], run: (stage) => runFiles(stage, integrationFiles('integration-labs')) },
      { name: 'containers', needs: ['engine'], run: ({ print, onOutput }) => runContainers(print, onOutput) },
    ],
    [
      { name: 'e2e-regions', needs: ['native', 'mirror', 'browser'], run: browserSuite('regions') },
      { name: 'e2e-cluster', needs: ['native', 'postgres', 'browser'], run: browserSuite('cluster') },
      { name: 'e2e-failures', needs: ['native', 'postgres'], run: browserSuite('failures') },
      { name: 'e2e-chaos', needs: ['native'], run: runChaos },
      {
        name: 'integration',
        needs: ['native'],
        run: (stage) => runIntegration(stage, integrationFiles('integration')),
        quick: (stage) => runIntegration(stage, quickIntegration),
      },
    ],
  ],
  [
    [
      { name: 'benches', needs: ['native'], run: (stage) => runFiles(stage, integrationFiles('benches')) },
      { name: 'labs', needs: ['native'], run: runLabs },
    ],
  ],
];

/** @throws StackError */
export function suiteNamed(name: string): Suite {
  const all = stages.flat(2);
  const found = all.find((suite) => suite.name === name);
  if (found === undefined) throw new StackError(`no suite ${name}`, `one of ${all.map((suite) => suite.name).join(', ')}`);
  return found;
}

async function runChecks(stage: Stage): Promise<Counts> {
  const { output, code } = await listen('check', [], stage);
  return withExitCode(readCheckOutput(output), code);
}

/** Runs a tool that writes no report: its output is the report. */
async function listen(name: ToolName, args: readonly string[], { onOutput }: Stage): Promise<{ output: string; code: number }> {
  let output = '';
  const show = onOutput ?? ((text: string) => void process.stdout.write(text));
  const code = await runTool(name, args, {
    onOutput: (text) => {
      output += text;
      show(text);
    },
  });
  return { output, code };
}

/**
 * nx caches this suite: a package whose files and dependencies did not change returns its report without a run. Nothing is built here, as other
 * suites run from the same dist at this time: `npm test` has built before.
 */
async function runUnit({ onOutput }: Stage, which: 'run-many' | 'affected' = 'run-many'): Promise<Counts> {
  const reports = packages().map((folder) => join(repository, folder, 'reports', 'test.json'));
  // nx brings back those of the projects that it was asked for.
  reports.forEach(forgetReport);
  const code = await runCommand(
    join(repository, 'node_modules', '.bin', 'nx'),
    [which, '-t', 'test', '--excludeTaskDependencies', '--parallel=3', '--outputStyle=static'],
    {
      env: { NX_TUI: 'false', CLOAKROOM_INTEGRATION: undefined },
      onOutput,
    },
  );
  const counts = reports.map(readVitestReport).reduce<Counts>((sum, one) => add(sum, one ?? noCounts), noCounts);
  return withExitCode(counts, code);
}

/** All packages run against the same two Redis, one Kafka and one PostgreSQL. Files run one at a time, as some of them pause the broker. */
async function runIntegration(stage: Stage, files: readonly string[]): Promise<Counts> {
  const dataDir = join(dataRoot, 'integration');
  const services = await startDevServices({ base: testBases.integration, dataDir, fresh: 'redis-in-memory', say: stage.print });
  try {
    return await runFiles(stage, files, services.env);
  } finally {
    await services.stop();
  }
}

/** @param env addresses of the services; the tests of the labs start their own */
async function runFiles(
  { print, interrupted, onOutput }: Stage,
  files: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Counts> {
  const folders = packages().filter((folder) => files.some((file) => file.startsWith(`${folder}/`)));
  let sum = noCounts;
  for (const folder of folders) {
    if (interrupted()) break;
    print(`\n${folder}`);
    const file = join(repository, folder, 'reports', 'int.json');
    forgetReport(file);
    const code = await runCommand(join(repository, 'node_modules', '.bin', 'vitest'), vitestArguments(folder, file, files), {
      env: { ...env, CLOAKROOM_INTEGRATION: '1' },
      onOutput,
    });
    sum = add(sum, withExitCode(readVitestReport(file) ?? noCounts, code));
  }
  return sum;
}

export function integrationFiles(suite: keyof typeof integrationFolders): string[] {
  const patterns = integrationFolders[suite].map((folder) => `${folder}/**/*.int.test.ts`);
  return globSync(patterns, { cwd: repository, exclude: ['**/node_modules/**'] });
}

function vitestArguments(folder: string, report: string, files: readonly string[]): string[] {
  const config = join(repository, 'vitest.config.ts');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return [
    'run',
    '--root',
    join(repository, folder),
    '--config',
    config,
    '--no-file-parallelism',
    ...reporters,
    ...files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1)),
  ];
}

/** Takes a few defences away on a stack in one process: the attacks on them must succeed. `npm run attacks -- --prove` takes all of them. */
async function runProof(stage: Stage): Promise<Counts> {
  const { output, code } = await listen('attacks', ['--prove', '--fast'], stage);
  return withExitCode(readProofOutput(output), code);
}

/** With the start, the last reads and the stop it takes 3 minutes. `npm run chaos` runs longer, and over other seeds. */
const chaosMinutes = '2.25';
/**
 * The same seed gives the same faults each time, so a new failure means that the code has changed. It gives 19 faults, of every kind that native has.
 * CLOAKROOM_CHAOS_SEED sets another seed.
 */
const chaosSeed = '161';

async function runChaos(stage: Stage): Promise<Counts> {
  const seed = process.env['CLOAKROOM_CHAOS_SEED'] ?? chaosSeed;
  const { output, code } = await listen('chaos', ['--minutes', chaosMinutes, '--seed', seed], stage);
  return withExitCode(readChaosOutput(output), code);
}

/** Every lab, shortened. A verdict that differs from that of the published full runs is a failure. */
async function runLabs(stage: Stage): Promise<Counts> {
  const { output, code } = await listen('lab', ['all', '--quick'], stage);
  return withExitCode(readLabsOutput(output), code);
}

type E2eProvider = 'embedded' | 'native' | 'native-postgres' | 'failures' | 'cluster' | 'regions';

function browserSuite(provider: E2eProvider, files: readonly string[] = []): Suite['run'] {
  return async ({ onOutput }) => {
    const file = join(repository, 'test-results', `${provider}.json`);
    forgetReport(file);
    const code = await runTool('e2e', files, { env: { CLOAKROOM_E2E_PROVIDER: provider, CLOAKROOM_E2E_REPORT: provider }, onOutput });
    return withExitCode(readPlaywrightReport(file) ?? noCounts, code);
  };
}

/** Folders of the workspaces, relative to the repository. */
function packages(): string[] {
  const below = (folder: string) => readdirSync(join(repository, folder)).map((name) => join(folder, name));
  return [...below('libs'), ...below('apps'), 'infra', 'labs', 'tools'];
}
