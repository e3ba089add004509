/** `npm run mutants`: plants each fault and expects failing assertions; an outdated mutant or a suite that stays green fails the run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { oneOf, runCommandLine } from '../../infra/cli/command-line.ts';
import { startDevServices } from '../../infra/launch/dev-services.ts';
import { dataRoot } from '../../infra/stack/folders.ts';
import type { Mutant } from './planted.ts';
import { mutants } from './mutant-list.ts';

const root = join(import.meta.dirname, '../..');
/** Apart from all other stacks of this repository. */
const servicesBase = 8000;
/** A mutant may make a test wait for what never comes: every test has its own limit, this is for the runner. */
const runTimeoutMs = 180_000;

const help = `npm run mutants                  every mutant
npm run mutants -- --fast        those that need no real Redis
npm run mutants -- --only NAME   one of: ${mutants.map(({ name }) => name).join(', ')}`;

await runCommandLine({ help, options: { only: { type: 'string' }, fast: { type: 'boolean' } } }, ({ only, fast }) => {
  const names = mutants.map(({ name }) => name);
  const wanted = only === undefined ? names : [oneOf('--only', only, names)];
  return run(mutants.filter(({ name, integration }) => wanted.includes(name) && !(fast === true && integration)));
});

async function run(chosen: readonly Mutant[]): Promise<number> {
  const services = chosen.some(({ integration }) => integration)
    ? await startDevServices({ base: servicesBase, dataDir: join(dataRoot, 'mutants'), fresh: true, say: (line) => console.log(line) })
    : undefined;
  let survived = 0;
  try {
    for (const mutant of chosen) {
      const failures = await Promise.all(mutant.noticedBy.map((where) => failuresOf(mutant, where, services?.env ?? {})));
      const noticed = failures.every((count) => count > 0);
      if (!noticed) survived++;
      console.log(`${noticed ? 'noticed ' : 'SURVIVED'}  ${mutant.name}: ${failures.join(' + ')} failing tests`);
    }
  } finally {
    await services?.stop();
  }
  console.log(`\n${chosen.length - survived} passed, ${survived} failed`);
  return survived === 0 ? 0 : 1;
}

/** Failed assertions, counted by the runner's report; a run that did not start at all is not a notice. */
async function failuresOf(
  mutant: Mutant,
  { package: folder, tests }: Mutant['noticedBy'][number],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'mutant-'));
  const report = join(scratch, 'report.json');
  const args = [
    'run',
    '--root',
    '.',
    '--config',
    join(import.meta.dirname, 'vitest.config.ts'),
    '--reporter=json',
    `--outputFile=${report}`,
    ...tests,
  ];
  try {
    await promisify(execFile)(process.execPath, [join(root, 'node_modules/.bin/vitest'), ...args], {
      cwd: join(root, folder),
      timeout: runTimeoutMs,
      env: { ...process.env, ...env, CLOAKROOM_MUTANT: mutant.name, ...(mutant.integration && { CLOAKROOM_INTEGRATION: '1' }) },
    }).catch(() => undefined);
    const { numFailedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8')) as { numFailedTests: number; numTotalTests: number };
    if (numTotalTests === 0) throw new Error(`${mutant.name}: no test ran in ${folder} (${tests.join(', ')})`);
    return numFailedTests;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
