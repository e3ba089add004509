/** A fuzzer that we did not write, over every operation of /openapi.json: no answer of 5xx, no status and no method that the document does not have. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataRoot } from '../folders.ts';
import { startStack } from '../harness.ts';
import { StackError } from '../outcome.ts';
import { runCommand } from '../tools.ts';

const major = 4;
/** A minute or two an operation on two cores; the coverage phase comes on top. */
const inputsUsual = 50;
/** Above the largest budget of a route on a machine that is busy. */
const requestTimeoutS = '30';
const looksS = 15_000;
/** The example accounts', from README.md: an administrator is among them. */
const password = 'correct horse battery staple';
/** One address, and more than any person does. */
const unlimited = '1000000';
const limits = [
  'SIGN_IN_LIMIT_PER_MINUTE',
  'GUEST_LIMIT_PER_MINUTE',
  'ORDER_LIMIT_PER_MINUTE',
  'RATE_LIMIT_PER_10S',
  'REGISTRATION_LIMIT_PER_HOUR',
  'GUEST_LIMIT_PER_HOUR',
  'GUEST_LIMIT_PER_HOUR_IN_ALL',
];
/** An endless stream of events cannot be read to its end: e2e/fuzz and apps/gateway/src/events look at it. */
const endless = '/api/events';
const checks =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method,allow_header_conformance';

const remedy = `python3 -m venv .cloakroom/venv && .cloakroom/venv/bin/pip install 'schemathesis==${major}.*', or one on PATH`;

/** @returns the program. @throws StackError that says how to get it */
export async function findSchemathesis(): Promise<string> {
  for (const program of [join(dataRoot, 'venv', 'bin', 'schemathesis'), 'schemathesis']) {
    const version = await promisify(execFile)(program, ['--version'], { timeout: looksS }).then(
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
    const args = ['run', `${url}/openapi.json`, '--checks', checks, '--exclude-path', endless, '--continue-on-failure'];
    const bounds = [
      '--phases',
      'coverage,fuzzing',
      '--max-examples',
      String(inputs),
      '--seed',
      String(seed),
      '--request-timeout',
      requestTimeoutS,
    ];
    return await runCommand(tool, [...args, ...bounds], {
      cwd: dataDir,
      env: {
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'schemathesis_hooks.py'),
        CLOAKROOM_URL: url,
        CLOAKROOM_FUZZ_PASSWORD: password,
      },
    });
  } finally {
    await stack.stop();
  }
}
