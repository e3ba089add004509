/** Contracts change on purpose: lint, breaking changes against a committed baseline, generated code that is current, and a snapshot of the policies. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getOption, hasOption, type DescService } from '@bufbuild/protobuf';
import * as contracts from '@cloakroom/contracts';
import { Identity, OperationClass, policy } from '@cloakroom/contracts';
import type { Violation } from './tree.ts';

const isService = (value: unknown): value is DescService =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
/** Every service of the contracts, found and not listed: a list once forgot one, and nobody looked at its policies. */
export const services: readonly DescService[] = (Object.values(contracts) as unknown[])
  .filter(isService)
  .sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
const folder = 'libs/contracts';
const image = `${folder}/baseline/contracts.binpb`;
const policies = `${folder}/baseline/policies.json`;
const renew = 'if this is meant, run `npm run check -- --accept-contracts` and explain it in the commit';

/** buf does not see a policy that went from USER to NONE: a snapshot does. */
export function policySnapshot(of: readonly DescService[]): { text: string; violations: Violation[] } {
  const violations: Violation[] = [];
  const lines: Record<string, unknown> = {};
  for (const service of of) {
    for (const method of service.methods) {
      const name = `${service.typeName}/${method.name}`;
      if (!hasOption(method, policy)) violations.push({ path: folder, message: `${name} states no policy` });
      const { identity, operationClass, budgetMs, callers, authenticationAgeMaxS, delegates, carries } = getOption(method, policy);
      if (identity === Identity.UNSPECIFIED || operationClass === OperationClass.UNSPECIFIED || callers.length + delegates.length === 0)
        violations.push({ path: folder, message: `${name} has an incomplete policy` });
      lines[name] = {
        identity: Identity[identity],
        operationClass: OperationClass[operationClass],
        budgetMs,
        callers,
        authenticationAgeMaxS,
        ...(delegates.length > 0 && { delegates }),
        ...(carries !== '' && { carries }),
      };
    }
  }
  return { text: `${JSON.stringify(lines, null, 2)}\n`, violations };
}

export function checkPolicies(root: string, of: readonly DescService[] = services): Violation[] {
  const { text, violations } = policySnapshot(of);
  if (text !== readFileSync(join(root, policies), 'utf8'))
    violations.push({ path: policies, message: `the policies differ from their snapshot; ${renew}` });
  return violations;
}

export function checkProtobuf(root: string): Violation[] {
  const buf = (...args: string[]): string | undefined => outputOfFailure(join(root, 'node_modules/.bin/buf'), args, join(root, folder));
  const lint = buf('lint');
  const breaking = buf('breaking', '--against', 'baseline/contracts.binpb');
  return [
    ...(lint === undefined ? [] : [{ path: folder, message: `buf lint:\n${lint}` }]),
    ...(breaking === undefined ? [] : [{ path: folder, message: `a breaking change; ${renew}\n${breaking}` }]),
    ...checkGenerated(root),
  ];
}

/** Generated code is committed, so that a reader and a build need no generator. It must equal the output of the generator. */
function checkGenerated(root: string): Violation[] {
  const scratch = mkdtempSync(join(tmpdir(), 'contracts-'));
  try {
    for (const name of ['proto', 'buf.yaml', 'buf.gen.yaml']) cpSync(join(root, folder, name), join(scratch, name), { recursive: true });
    const failure = outputOfFailure(join(root, 'node_modules/.bin/buf'), ['generate'], scratch);
    if (failure !== undefined) return [{ path: folder, message: `buf generate: ${failure}` }];
    const difference = outputOfFailure('diff', ['-rq', join(scratch, 'src/gen'), join(root, folder, 'src/gen')], root);
    return difference === undefined
      ? []
      : [{ path: `${folder}/src/gen`, message: `is not what \`buf generate\` makes: run it in ${folder}\n${difference}` }];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export function acceptContracts(root: string): void {
  execFileSync(join(root, 'node_modules/.bin/buf'), ['build', '-o', 'baseline/contracts.binpb'], {
    cwd: join(root, folder),
    stdio: 'inherit',
  });
  writeFileSync(join(root, policies), policySnapshot(services).text);
  console.log(`wrote ${image} and ${policies}`);
}

/** undefined when the command succeeded. */
export function outputOfFailure(command: string, args: readonly string[], cwd: string): string | undefined {
  try {
    execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 64 << 20,
      env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}` },
    });
    return undefined;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return (stdout + stderr).trim() || message;
  }
}
