/** Publishes to a log file until it is killed, and says each offset once the log acknowledged it. See event-log.embedded.test.ts. */
import { systemClock } from '@cloakroom/platform';
import { EmbeddedEventLog } from './event-log.embedded.ts';

const [file = '', topicAsJson = ''] = process.argv.slice(2);
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const topic = JSON.parse(topicAsJson) as Parameters<EmbeddedEventLog['bounds']>[0];
const events = new EmbeddedEventLog({ file, log: quiet, clock: systemClock });
await events.ensureTopics([topic]);

for (let n = 0; ;) {
  const turn = Array.from({ length: 10 }, () => events.publish(topic, [{ key: 'k', value: Buffer.from(String(n++)), partition: 0 }]));
  for (const [position] of await Promise.all(turn)) process.stdout.write(`${position!.offset}\n`);
}
