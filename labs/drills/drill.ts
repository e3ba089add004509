/** npm run drill -- <name>: emergencies, rehearsed and measured. */
import { oneOf, runCommandLine, wholeNumber } from '../../infra/cli/command-line.ts';
import { describeDrill, drillRevokeEverything } from './revocation-drill.ts';

/** Ports apart from a shop in use. */
const base = 22_400;
/** With fewer a run proves nothing; with more it takes an hour. */
const sessions = { min: 100, max: 10_000_000, usual: 100_000 };
const help = `npm run drill -- revoke-everything [--sessions N]   one command ends N sessions (100,000 by default); measures how long any is still accepted`;

await runCommandLine({ help, options: { sessions: { type: 'string' } }, wordCountMax: 1 }, async (values, [name]) => {
  oneOf('drill', name ?? '(none)', ['revoke-everything']);
  const sessionCount = wholeNumber('--sessions', values.sessions, sessions) ?? sessions.usual;
  const outcome = await drillRevokeEverything({ base, sessionCount });
  console.log(describeDrill(outcome));
  return outcome.acceptedAfterwards === 0 ? 0 : 1;
});
