/** `npm run fuzz`: 100,000 inputs against a native stack, by the test that throws 5,000 in CI (e2e/fuzz). A seed repeats a run. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../folders.ts';
import { runCommand } from '../tools.ts';

/** Apart from all other stacks of this repository. */
const base = 6700;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    'port-base': { type: 'string', default: String(base) },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  console.log(`npm run fuzz                                 ${values.inputs} inputs, with a new seed that is printed
npm run fuzz -- --inputs 5000 --seed 7       fewer; a run again
npm run fuzz -- --port-base PORT             where the ports of the stack begin (${base})`);
} else {
  process.exitCode = await runCommand(
    join(repository, 'node_modules', '.bin', 'playwright'),
    ['test', 'fuzz/fuzz', '--project=native', '--reporter=list'],
    {
      cwd: join(repository, 'e2e'),
      env: {
        CLOAKROOM_E2E_PROVIDER: 'native',
        CLOAKROOM_E2E_REPORT: 'fuzz',
        CLOAKROOM_E2E_PORT_BASE: values['port-base'],
        CLOAKROOM_FUZZ_INPUTS: values.inputs,
        CLOAKROOM_FUZZ_SEED: values.seed,
      },
    },
  );
}
