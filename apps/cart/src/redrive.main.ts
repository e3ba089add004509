/** Puts the dead letters of carts back, with the environment of the cart service: `node apps/cart/dist/redrive.main.js`. Run it after the mend. */
import { createLogger, openEventLog, systemClock } from '@cloakroom/platform';
import { readConfig } from './config.ts';
import { cartTopics } from './parts.ts';
import { redrive } from './redrive.ts';

const config = readConfig();
const log = createLogger('cart-redrive', config.LOG_LEVEL);
if (config.EVENT_LOG !== 'kafka') throw new Error('the embedded log lives in another process: redrive needs EVENT_LOG=kafka');
const eventLog = await openEventLog({
  kind: 'kafka',
  brokers: config.KAFKA_BROKERS ?? [],
  clientId: 'cart-redrive',
  log,
  clock: systemClock,
});
try {
  const records = await redrive({ eventLog, topics: cartTopics, clock: systemClock, log });
  log.info({ records }, 'dead letters were put back');
} finally {
  await eventLog.close();
}
