import { eventLogContract } from '@cloakroom/testing';
import { systemClock } from './clock.ts';
import { openEventLog } from './event-log.open.ts';

const brokers = [process.env['TEST_KAFKA_BROKERS'] ?? '127.0.0.1:9092'];
const brokerPid = Number(process.env['TEST_KAFKA_PID']);
const say = (level: string) => (fields: object, message: string) =>
  process.env['LOG_LEVEL'] === 'debug' ? console.log(level, message, fields) : undefined;
const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
const open = (clientId: string) => openEventLog({ kind: 'kafka', brokers, clientId, log, clock: systemClock });

eventLogContract('kafka', async () => {
  const [events, other] = await Promise.all([open('contract'), open('contract-other')]);
  return {
    log: events,
    other,
    monotonicMs: () => systemClock.monotonicMs(),
    silence: () => void process.kill(brokerPid, 'SIGSTOP'),
    speak: () => void process.kill(brokerPid, 'SIGCONT'),
    close: async () => {
      await Promise.all([events.close(), other.close()]);
    },
  };
});
