/**
 * A fuzzer that we did not write, over every operation of /openapi.json. It finds any 5xx, and any
 * status or method that the document does not have.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataRoot } from '../../infra/stack/folders.ts';
import { startStack } from '../../infra/launch/harness.ts';
import { StackError } from '../../infra/stack/outcome.ts';
import { runCommand } from '../../infra/cli/tools.ts';

const major = 4;
/** A second or two for each operation on two cores, and more for the coverage phase. */
const inputsUsual = 50;
/** Above the largest budget of a route, on a busy machine. */
const requestTimeoutS = '30';
const looksMs = 15_000;
/** The password of the example accounts from README.md; one of them is an administrator. */
const password = 'correct horse battery staple';
/** All requests come from one address, and there are more than any person sends. */
const unlimited = '1000000';
const limits = [
  'SIGN_IN_LIMIT_PER_MINUTE',
  'GUEST_LIMIT_PER_MINUTE',
  'ORDER_LIMIT_PER_MINUTE',
  'RATE_LIMIT_PER_10S',
  'ADDRESS_FAILURE_LIMIT_PER_15_MIN',
  'REGISTRATION_LIMIT_PER_HOUR',
  'GUEST_LIMIT_PER_HOUR',
  'GUEST_LIMIT_PER_HOUR_IN_ALL',
];
const checks =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method,allow_header_conformance';

const remedy = `python3 -m venv .cloakroom/venv && .cloakroom/venv/bin/pip install 'schemathesis==${major}.*', or one on PATH`;

/** @returns the program. @throws StackError that says how to get it */
export async function findSchemathesis(): Promise<string> {
  for (const program of [join(dataRoot, 'venv', 'bin', 'schemathesis'), 'schemathesis']) {
    const version = await promisify(execFile)(program, ['--version'], { timeout: looksMs }).then(
      ({ stdout }) => /version (\d+)\./.exec(stdout)?.[1],
      () => undefined,
    );
    if (Number(version) === major) return program;
  }
  throw new StackError(`schemathesis ${major} is not there`, remedy);
}

export interface DocumentFuzz {
  readonly tool: string;
  readonly provider: 'native' | 'embedded';
  readonly base: number;
  readonly seed: number;
  readonly inputs: number | undefined;
}

/** @returns the exit code: 0 where nothing was found */
export async function fuzzByDocument({ tool, provider, base, seed, inputs = inputsUsual }: DocumentFuzz): Promise<number> {
  const dataDir = join(dataRoot, `schemathesis-${provider}-${base}`);
  const stack = await startStack({
    provider,
    base,
    dataDir,
    fresh: true,
    limits: Object.fromEntries(limits.map((name) => [name, unlimited])),
  });
  try {
    const url = `http://localhost:${base}`;
    const bounds = ['--phases', 'coverage,fuzzing', '--max-examples', String(inputs), '--workers', '1', '--seed', String(seed)];
    const args = [
      '--config-file',
      join(import.meta.dirname, 'schemathesis.toml'),
      'run',
      `${url}/openapi.json`,
      '--checks',
      checks,
      '--continue-on-failure',
      '--request-timeout',
      requestTimeoutS,
    ];
    const tallyFile = join(dataDir, 'answers.json');
    const code = await runCommand(tool, [...args, ...bounds], {
      cwd: dataDir,
      env: {
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'schemathesis_hooks.py'),
        CLOAKROOM_URL: url,
        CLOAKROOM_FUZZ_PASSWORD: password,
        CLOAKROOM_FUZZ_TALLY: tallyFile,
      },
    });
    return Math.max(code, tell(JSON.parse(await readFile(tallyFile, 'utf8')) as Tally));
  } finally {
    await stack.stop();
  }
}

/** The answers of each operation and their number: "204", "401 session_ended". */
export type Tally = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Answers that come before an operation itself is reached. */
const atTheDoor = /^(401 (session_required|sign_in_required|session_ended)|403|405|413|415|429|431)\b/;

/** @returns operations that were requested and never reached: their results prove nothing */
export function neverReached(tally: Tally): string[] {
  return Object.entries(tally)
    .filter(([, answers]) => Object.keys(answers).every((answer) => atTheDoor.test(answer)))
    .map(([operation]) => operation);
}

function tell(tally: Tally): number {
  const rows = Object.entries(tally);
  const good = rows.filter(([, answers]) => Object.keys(answers).some((answer) => answer.startsWith('2')));
  const shutOut = neverReached(tally);
  process.stdout.write(`${good.length} of ${rows.length} operations answered 2xx.\n`);
  for (const [operation, answers] of rows.filter((row) => !good.includes(row)))
    process.stdout.write(
      `no 2xx: ${operation}: ${Object.entries(answers)
        .map(([answer, count]) => `${count} of ${answer}`)
        .join(', ')}\n`,
    );
  for (const operation of shutOut) process.stdout.write(`never reached: ${operation}\n`);
  return shutOut.length === 0 ? 0 : 1;
}
