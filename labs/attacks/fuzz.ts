/**
 * `npm run fuzz` sends 100,000 inputs to a native stack, with the test that sends 5,000 in CI (fuzz.native.e2e.ts). A seed repeats a run.
 * With `--schemathesis` it runs a fuzzer that knows only the OpenAPI document of this shop (schemathesis.ts).
 */
import { join } from 'node:path';
import { oneOf, portBases, runCommandLine, UsageError, wholeNumber } from '../../infra/cli/command-line.ts';
import { repository } from '../../infra/stack/folders.ts';
import { testBases } from '../../infra/stack/test-bases.ts';
import { runCommand } from '../../infra/cli/tools.ts';
import { findSchemathesis, fuzzByDocument } from './schemathesis.ts';

const base = testBases.fuzz;
const inputs = { usual: 100_000, min: 1, max: 10_000_000 };

const help = `npm run fuzz                                 ${inputs.usual.toLocaleString('en')} inputs, with a new seed that is printed
npm run fuzz -- --inputs 5000 --seed 7       fewer; a run again
npm run fuzz -- --port-base PORT             where the ports of the stack begin (${base})
npm run fuzz -- --schemathesis [--provider embedded] [--inputs 50]
                                             schemathesis 4 over all operations of /openapi.json, kept signed in; --inputs is per operation`;

const options = {
  inputs: { type: 'string' },
  seed: { type: 'string' },
  'port-base': { type: 'string' },
  schemathesis: { type: 'boolean' },
  provider: { type: 'string' },
} as const;

await runCommandLine({ help, options }, async (values) => {
  const count = wholeNumber('--inputs', values.inputs, inputs);
  const seed = wholeNumber('--seed', values.seed, { min: 0, max: 2 ** 31 }) ?? Date.now() % 2 ** 31;
  const portBase = wholeNumber('--port-base', values['port-base'], portBases) ?? base;
  if (values.schemathesis === true) {
    const provider = oneOf('--provider', values.provider ?? 'native', ['native', 'embedded']);
    return fuzzByDocument({ tool: await findSchemathesis(), provider, base: portBase, seed, inputs: count });
  }
  if (values.provider !== undefined) throw new UsageError('--provider goes with --schemathesis');
  return runCommand(
    join(repository, 'node_modules', '.bin', 'playwright'),
    ['test', 'fuzz\\.native', '--project=native-attacks', '--reporter=list'],
    {
      cwd: join(repository, 'e2e'),
      env: {
        CLOAKROOM_E2E_PROVIDER: 'native',
        CLOAKROOM_E2E_REPORT: 'fuzz',
        CLOAKROOM_E2E_PORT_BASE: String(portBase),
        CLOAKROOM_FUZZ_INPUTS: String(count ?? inputs.usual),
        CLOAKROOM_FUZZ_SEED: String(seed),
      },
    },
  );
});
