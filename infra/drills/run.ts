/** npm run drill -- <name>: emergencies, rehearsed and measured. */
import { parseArgs } from 'node:util';
import { describeDrill, drillRevokeEverything } from './revoke-everything.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sessions: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
/** Apart from a shop in use. */
const base = 22_400;
const help = `npm run drill -- revoke-everything [--sessions N]   one command ends N sessions (100,000 by default); how long any is still accepted`;
if (values.help) console.log(help);
else if (positionals[0] === 'revoke-everything') {
  const outcome = await drillRevokeEverything({ base, sessionCount: Math.max(100, Number(values.sessions ?? 100_000)) });
  console.log(describeDrill(outcome));
  process.exitCode = outcome.acceptedAfterwards === 0 ? 0 : 1;
} else {
  console.log(help);
  process.exitCode = 1;
}
