/** The commands as a person types them: through npm's scripts, on the Node that npm uses. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { repository } from './stack/folders.ts';

interface Ran {
  readonly code: number;
  readonly output: string;
}

async function npm(...args: string[]): Promise<Ran> {
  try {
    const { stdout, stderr } = await promisify(execFile)('npm', args, {
      cwd: repository,
      timeout: 60_000,
      // nx has built what these tests need.
      env: { ...process.env, NO_COLOR: '1', CLOAKROOM_BUILT: '1' },
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}
const run = (script: string, ...args: string[]) => npm('run', script, '--', ...args);

it.each([
  [['start', '--help'], /--infra <provider>[^]*--port-base[^]*--fresh[^]*--logs/],
  [['test', '--help'], /--only <suites>[^]*--quick\s+within 6 minutes/],
  [['mutants', '--help'], /--only NAME/],
  [['prove', '--help'], /--histories[^]*--seed/],
  [['bench', '--help'], /bench -- start/],
  [['fault', '--help'], /list[^]*on [^]*off [^]*10 minutes at most, and 2 s after the Observatory/],
  [['fault', 'on', '--help'], /--mine <id>[^]*--everybody[^]*--strength <time>[^]*--for <time>/],
  [['chaos', '--help'], /--seed S[^]*--profile cluster[^]*disk-full[^]*Exit code 1/],
  [['ocean', '--help'], /cut eu-us[^]*hold[^]*rtt 200[^]*heal[^]*--dials/],
  [['call', '--help'], /--region R +eu or us/],
  [['revoke-everything', '--help'], /--region <region>[^]*default: eu[^]*"eu", "us"/],
  [['check', '--help'], /--accept-contracts/],
  [['doctor'], /Node[^]*Redis[^]*Java[^]*Maven[^]*Docker[^]*Chromium/],
] as const)('npm run %j explains itself', async ([script, ...args], says) => {
  const { code, output } = await run(script, ...args);
  expect(output).toMatch(says);
  expect(code).toBe(0);
});

it('npm run help names every command once, on a line, by who uses it', async () => {
  const { code, output } = await run(...(['help'] as const));
  expect(code).toBe(0);
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const groups = ['Run it', 'Study it', 'Prove it', 'Operate it'].map(
    (name) => new RegExp(`^${name}:\\n((?: {2}\\S.*\\n?)+)`, 'm').exec(output)?.[1],
  );
  const named = groups.flatMap((group) => [...(group ?? '').matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, name]) => name!));
  expect(groups.every((group) => group !== undefined)).toBe(true);
  expect(named.toSorted()).toEqual(Object.keys(scripts).toSorted());
});

it('npm run status says what runs, or that nothing does', async () => {
  const { output } = await run(...(['status'] as const));
  expect(output).toMatch(/Nothing is running|process\s+state|was killed and left/);
});

it('an unknown command or option is refused in one line, with exit code 1', async () => {
  const unknown = await npm('start', '--', '--infra', 'cloud');
  expect(unknown.code).not.toBe(0);
  expect(unknown.output).toMatch(/cloud.*native/);
  const both = await npm('test', '--', '--quick', '--only', 'check');
  expect(both.code).not.toBe(0);
  expect(both.output).toMatch(/--quick chooses the suites itself/);
  const blocked = await npm('start', '--', '--port-base', '6000', '--logs');
  expect(blocked.code).not.toBe(0);
  expect(blocked.output).toMatch(/refuse port 6000/);
});
