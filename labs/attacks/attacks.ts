/**
 * `npm run attacks` starts a stack, attacks it, runs the other tests that the catalogue names, and prints a
 * verdict for each attack. `--prove` is in proof.ts.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { oneOf, portBases, runCommandLine, UsageError, wholeNumber } from '../../infra/cli/command-line.ts';
import { dataRoot, repository } from '../../infra/stack/folders.ts';
import { testBases } from '../../infra/stack/test-bases.ts';
import { align } from '../../infra/cli/status.ts';
import { runCommand } from '../../infra/cli/tools.ts';
import { attacks, type Attack, type Trial } from './catalogue.ts';
import { attackStack, type AttackProvider, readTrials } from './playwright.ts';
import { attackFaults } from '../faults/attack-faults.ts';
import { prove } from './proof.ts';

const base = testBases.attacks;
const vitestReport = join(dataRoot, 'attacks-unit.json');

const help = `npm run attacks                        attack a native stack and print a verdict for each attack
npm run attacks -- --provider embedded  only the attacks that also apply to one process
npm run attacks -- --prove              take each defence away in turn: its attack must then succeed (about 10 min)
npm run attacks -- --prove --fast       a few of them
npm run attacks -- --prove --only NAME  one of them, with an explanation; NAME is one of
${attackFaults.map(({ name }) => `    ${name}`).join('\n')}
npm run attacks -- --port-base PORT     where the ports of the stack begin (${base})`;

type Verdict = 'refused' | 'SUCCEEDED' | 'not run here' | 'not tried';

const options = {
  prove: { type: 'boolean' },
  fast: { type: 'boolean' },
  only: { type: 'string' },
  provider: { type: 'string' },
  'port-base': { type: 'string' },
} as const;
await runCommandLine({ help, options }, (values) => {
  const portBase = wholeNumber('--port-base', values['port-base'], portBases) ?? base;
  const provider = oneOf('--provider', values.provider ?? 'native', ['native', 'embedded']);
  if (values.only !== undefined && values.prove !== true) throw new UsageError('--only goes with --prove');
  if (values.prove !== true) return attack(provider, portBase);
  const only =
    values.only === undefined
      ? undefined
      : oneOf(
          '--only',
          values.only,
          attackFaults.map(({ name }) => name),
        );
  return prove({ only, fast: values.fast ?? false, base: portBase });
});

const isBrowserTest = (file: string): boolean => file.endsWith('.e2e.ts');
/** Playwright takes patterns of paths. */
const patternOf = (file: string): string => `/${file.split('/').at(-1)!.replaceAll('.', '\\.')}$`;

async function attack(provider: AttackProvider, portBase: number): Promise<number> {
  const files = [...new Set(attacks.flatMap(({ triedBy }) => triedBy.map(({ file }) => file)).filter(isBrowserTest))];
  const code = await attackStack({ provider, portBase, only: files.map(patternOf), quiet: false });
  const trials = [...readTrials(), ...(await runUnitTests())];
  const rows = attacks.map((one) => [one.id, one.name, one.standards, placesOf(one), verdictOf(one, trials)]);
  console.log('');
  for (const line of align([['id', 'attack', 'against', 'tried in', 'verdict'], ...rows])) console.log(line);
  for (const { id, gap } of attacks) if (gap !== undefined) console.log(`  ${id}: ${gap}`);
  const succeeded = rows.filter((row) => row.at(-1) === 'SUCCEEDED').length;
  const refused = rows.filter((row) => row.at(-1) === 'refused').length;
  console.log(`\n${refused} passed, ${succeeded === 0 && code !== 0 ? 1 : succeeded} failed`);
  return code === 0 && succeeded === 0 ? 0 : 1;
}

/** File names without the ending that they all share. */
function placesOf({ triedBy }: Attack): string {
  const names = triedBy.map(({ file }) =>
    file
      .split('/')
      .at(-1)!
      .replace(/(?:\.(?:native|cluster|int|test|e2e))*\.ts$/, ''),
  );
  return [...new Set(names)].join(', ') || '-';
}

interface Seen extends Trial {
  readonly passed: boolean;
}

function verdictOf({ triedBy }: Attack, trials: readonly Seen[]): Verdict {
  if (triedBy.length === 0) return 'not tried';
  const seen = trials.filter((trial) => triedBy.some(({ title }) => trial.title.includes(title)));
  if (seen.length === 0) return 'not run here';
  return seen.every(({ passed }) => passed) ? 'refused' : 'SUCCEEDED';
}

/** Runs the in-process tests that the catalogue names. `npm test` runs those that need their own Redis or broker. */
async function runUnitTests(): Promise<Seen[]> {
  const seen: Seen[] = [];
  const files = new Set(
    attacks.flatMap(({ triedBy }) => triedBy.map(({ file }) => file)).filter((file) => !isBrowserTest(file) && !file.includes('.int.')),
  );
  // The in-memory adapter runs the contract suites.
  const runnable = new Set(
    [...files].map((file) => (file.endsWith('.contract.ts') ? 'libs/session/src/session.store.memory.test.ts' : file)),
  );
  const folders = Map.groupBy(runnable, (file) => file.split('/').slice(0, 2).join('/'));
  for (const [folder, own] of folders) {
    rmSync(vitestReport, { force: true });
    const args = [
      'run',
      '--root',
      join(repository, folder),
      '--config',
      join(repository, 'vitest.config.ts'),
      '--reporter=json',
      `--outputFile=${vitestReport}`,
      ...own.map((file) => file.slice(folder.length + 1)),
    ];
    let said = '';
    await runCommand(join(repository, 'node_modules', '.bin', 'vitest'), args, { onOutput: (text) => (said += text) });
    if (!existsSync(vitestReport)) throw new Error(`vitest wrote no report: ${said}`);
    const report = JSON.parse(readFileSync(vitestReport, 'utf8')) as {
      testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[];
    };
    for (const { name, assertionResults } of report.testResults)
      for (const { fullName, status } of assertionResults) seen.push({ file: name, title: fullName, passed: status === 'passed' });
  }
  return seen;
}
