/** The process of the ocean: `npm start -- --profile regions` starts it. It begins healed, also after a crash. */
import { openEventLog } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { regionNames } from '../stack/stack.ports.ts';
import type { OceanPlace } from '../stack/stack.spec.ts';
import { openControl } from './control.ts';
import { watchMirror } from './mirror-lag.ts';
import { mirroredTopics } from './mirrored-topics.ts';
import { Ocean } from './ocean.ts';
import { wayFrom } from './ocean.types.ts';

/** The orders hold the key, so they come by the environment. */
const { key, controlPort, rttMs, routes, brokers } = JSON.parse(process.env['OCEAN'] ?? '{}') as OceanPlace & { readonly key: string };

const log = createLogger('ocean', 'warn');
const ocean = new Ocean(routes, rttMs);
await ocean.open();

const open = (broker: string) => openEventLog({ kind: 'kafka', brokers: [broker], clientId: 'ocean', log, clock: systemClock });
const logs = { eu: await open(brokers.eu), us: await open(brokers.us) };
const failed = (error: unknown): void => log.warn({ err: error }, 'a mirror cannot be read, and is asked again each second');
const watches = regionNames.map((origin) => {
  const target = logs[origin === 'eu' ? 'us' : 'eu'];
  return { way: wayFrom(origin), watch: watchMirror({ origin, topics: mirroredTopics, from: logs[origin], target, failed }) };
});

const control = openControl({
  key,
  obey: (command) => {
    ocean.obey(command);
    process.stdout.write(`${new Date().toISOString()} ${JSON.stringify(command)}\n`);
  },
  status: () => {
    const { ways, ...rest } = ocean.status();
    return { ...rest, ways: ways.map((one) => ({ ...one, mirror: watches.find(({ way }) => way === one.way)?.watch.lag() })) };
  },
});
control.listen(controlPort, '127.0.0.1');

process.on('SIGTERM', () => {
  for (const { watch } of watches) watch.stop();
  process.exit(0);
});
