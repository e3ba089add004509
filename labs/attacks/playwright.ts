/** Runs attacks by Playwright, and reads the result of each from its report. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataRoot, repository } from '../../infra/stack/folders.ts';
import { runCommand } from '../../infra/cli/tools.ts';
import { execFile } from 'node:child_process';
import { preloadOf } from '../faults/preload.ts';

export type AttackProvider = 'native' | 'embedded';

/** The report's name by default. A run beside another needs one of its own. */
const usualName = 'attacks';
const reportOf = (name: string): string => join(dataRoot, `${name}.json`);

export interface AttackRun {
  readonly provider: AttackProvider;
  readonly portBase: number;
  /** Patterns of file names. */
  readonly only: readonly string[];
  readonly title?: string;
  /** A name out of attack-faults.ts: the defence that is taken away. Several have `+` between them. */
  readonly fault?: string;
  readonly quiet: boolean;
  /** The name of the report. */
  readonly name?: string;
}

/** @returns Playwright's exit code */
export function attackStack({ provider, portBase, only, title, fault, quiet, name = usualName }: AttackRun): Promise<number> {
  const report = reportOf(name);
  rmSync(report, { force: true });
  const program = join(repository, 'node_modules', '.bin', 'playwright');
  const args = [
    'test',
    ...only,
    '--reporter=list,json',
    `--project=${provider}`,
    `--project=${provider}-attacks`,
    ...(title === undefined ? [] : ['-g', title]),
  ];
  const env = {
    CLOAKROOM_E2E_PROVIDER: provider,
    CLOAKROOM_E2E_PORT_BASE: String(portBase),
    PLAYWRIGHT_JSON_OUTPUT_FILE: report,
    CLOAKROOM_E2E_REPORT: name,
    CLOAKROOM_E2E_PRELOAD: fault === undefined ? undefined : preloadOf(fault),
  };
  const cwd = join(repository, 'e2e');
  if (!quiet) return runCommand(program, args, { cwd, env });
  // A proof consists of failures, so their output is not shown.
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd, env: { ...process.env, ...env }, timeout: quietTimeoutMs }, (error) =>
      resolve(error === null ? 0 : 1),
    );
  });
}

/** Each test has its own limits; this one is for a stack that does not start. */
const quietTimeoutMs = 180_000;

interface Spec {
  readonly title: string;
  readonly ok: boolean;
  readonly file: string;
  readonly tests?: readonly { readonly results: readonly { readonly error?: { readonly message?: string } }[] }[];
}

interface Suite {
  readonly suites?: readonly Suite[];
  readonly specs?: readonly Spec[];
}

export interface SeenTrial {
  readonly file: string;
  readonly title: string;
  readonly passed: boolean;
  /** For a failed test: the value that it expected and the value that it got. */
  readonly said?: string;
}

/** @returns nothing where the run wrote no report */
export function readTrials(name = usualName): SeenTrial[] {
  const walk = ({ suites = [], specs = [] }: Suite): SeenTrial[] => [
    ...specs.map(({ title, ok, file, tests = [] }) => {
      const said = tests.flatMap(({ results }) => results).find(({ error }) => error !== undefined)?.error?.message;
      return { title, passed: ok, file, ...(said !== undefined && { said }) };
    }),
    ...suites.flatMap(walk),
  ];
  try {
    return walk(JSON.parse(readFileSync(reportOf(name), 'utf8')) as Suite);
  } catch {
    return [];
  }
}
