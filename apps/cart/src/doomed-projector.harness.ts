/**
 * A projector in a process of its own, for cart.int.test.ts. It kills itself by SIGKILL right after its first batch has reached the view,
 * before it commits the batch. With `lives` it stays alive, so that a test can pause it.
 */
import { openEventLog } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import type { CartTopics } from './cart.dependencies.ts';
import { evolveInBatch } from './model/cart.ts';
import { startProjector } from './projection/projector.ts';

export interface Doom {
  readonly brokers: string[];
  readonly redisUrl: string;
  readonly keyspace: string;
  readonly topics: CartTopics;
  readonly group: string;
  readonly lives?: boolean;
}

const { brokers, redisUrl, keyspace, topics, group, lives = false } = JSON.parse(process.argv[2]!) as Doom;
const log = createLogger('doomed', 'silent');
const view = openRedisCartView({ url: redisUrl, log, keyspace });
const apply = view.apply.bind(view);
view.apply = async (partition, change) => {
  const applied = await apply(partition, change);
  if (!lives && applied && change.carts.length > 0) process.kill(process.pid, 'SIGKILL');
  return applied;
};
const eventLog = await openEventLog({ kind: 'kafka', brokers, clientId: 'doomed', log, clock: systemClock });
const projector = await startProjector({ eventLog, view, clock: systemClock, log, topics, region: 'local', evolve: evolveInBatch }, group);
await projector.ready;
process.stdout.write('ready\n');
