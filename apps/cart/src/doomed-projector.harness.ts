/** A process that dies by SIGKILL right after its first batch has reached the view, before anything of it is committed. See cart.int.test.ts. */
import { createLogger, openEventLog, systemClock } from '@cloakroom/platform';
import { openRedisCartView } from './cart.view.redis.ts';
import type { CartTopics } from './parts.ts';
import { startProjector } from './projector.ts';

export interface Doom {
  readonly brokers: string[];
  readonly redisUrl: string;
  readonly keyspace: string;
  readonly topics: CartTopics;
  readonly group: string;
}

const { brokers, redisUrl, keyspace, topics, group } = JSON.parse(process.argv[2]!) as Doom;
const log = createLogger('doomed', 'silent');
const view = openRedisCartView({ url: redisUrl, log, keyspace });
const apply = view.apply.bind(view);
view.apply = async (partition, change) => {
  const applied = await apply(partition, change);
  if (applied && change.carts.length > 0) process.kill(process.pid, 'SIGKILL');
  return applied;
};
const eventLog = await openEventLog({ kind: 'kafka', brokers, clientId: 'doomed', log, clock: systemClock });
await startProjector({ eventLog, view, clock: systemClock, log, topics, region: 'local' }, group);
