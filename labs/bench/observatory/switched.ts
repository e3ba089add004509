/**
 * Preloaded into each service of `npm run bench -- observatory`. At SIGUSR2 the process switches to what a file says, by the two functions that
 * `runProcess` calls at a start. So the same process is measured in each state, and no luck of its start stands between them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createLogger, startFaults, startTelemetry } from '@cloakroom/platform';
import { type Switched, switchFolderVariable, switchUrlVariable } from './switches.ts';

const folder = process.env[switchFolderVariable]!;
const observatory = {
  OBSERVATORY_URL: process.env[switchUrlVariable],
  OBSERVATORY_SPAN_KEY: process.env['OBSERVATORY_SPAN_KEY'],
  PROVIDER: process.env['PROVIDER'],
  REPLICA: process.env['REPLICA'],
};
const log = createLogger('bench', 'warn');
const stops: (() => unknown)[] = [];

process.on('SIGUSR2', () => void switchOver());
say('alone');

async function switchOver(): Promise<void> {
  const wanted = readFileSync(`${folder}/wanted`, 'utf8') as Switched;
  for (const stop of stops.splice(0)) await stop();
  if (wanted === 'observed') stops.push(await startTelemetry(process.env['SERVICE_NAME']!, observatory, log));
  if (wanted !== 'alone') stops.push(startFaults(observatory, log));
  say(wanted);
}

function say(state: Switched): void {
  writeFileSync(`${folder}/${process.pid}`, state);
}
