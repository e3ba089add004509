/**
 * `npm run cart -- replay` builds a new view of carts beside the serving one, and then switches to it. operations/replay.ts does the work.
 */
import { parseArgs } from 'node:util';
import { openEventLog } from '@cloakroom/event-log';
import { ConfigError, createLogger, systemClock } from '@cloakroom/platform';
import { openRedisByUrl, redisReady } from '@cloakroom/platform/redis';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import { openSpaces } from './projection/cart.view.replay.ts';
import { readRedriveConfig, type RedriveConfig } from './config.ts';
import { topicsBeside } from './cart.dependencies.ts';
import { evolveInBatch } from './model/cart.ts';
import { replay } from './operations/replay.ts';

const help = `Builds the view of carts anew from their log, beside the one that serves, and switches partition by partition.

  KAFKA_BROKERS=... CART_REDIS_URL=... node apps/cart/dist/replay.main.js

  --help      this

Environment:
  KAFKA_BROKERS    where cart.events is (host:port, comma separated)
  CART_REDIS_URL   the carts' view
  OTHER_REGIONS    as for cart, with REGION: the copies of their logs are read too
  LOG_LEVEL        of the lines on standard error; default error

Reads are served from the old view until the new one is level, and the old one is dropped at the end. A run that was ended may be repeated.
Every cart service that runs must be of a build that knows this command. Run one at a time.
Exit code: 0 switched, 1 it could not be done, 78 the environment is not valid.
`;

const redisReadyMs = 5_000;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run({ KAFKA_BROKERS, CART_REDIS_URL: url, LOG_LEVEL, REGION: region, OTHER_REGIONS }: RedriveConfig): Promise<number> {
  const log = createLogger('cart-replay', LOG_LEVEL, process.stderr);
  const eventLog = await openEventLog({ kind: 'kafka', brokers: KAFKA_BROKERS, clientId: 'cart-replay', log, clock: systemClock });
  const redis = openRedisByUrl({ url, name: 'cart-replay', log });
  const startedMs = performance.now();
  try {
    await redisReady(redis, redisReadyMs);
    const { to, records } = await replay({
      eventLog,
      clock: systemClock,
      log,
      topics: topicsBeside(OTHER_REGIONS.map((other) => other.region)),
      region,
      evolve: evolveInBatch,
      spaces: openSpaces(redis),
      open: (building) => openRedisCartView({ url, log, building }),
      tell: print,
    });
    print(`${records} records replayed into ${to} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s. The old view is dropped.`);
    return 0;
  } finally {
    redis.disconnect();
    await eventLog.close();
  }
}

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
    if (values.help === true) {
      print(help);
      return 0;
    }
    return await run(readRedriveConfig());
  } catch (error) {
    process.stderr.write(`${reasons(error)}\n`);
    return error instanceof ConfigError ? 78 : 1;
  }
}

/** An operator needs the cause, not the stack. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasons(error.cause)}`;
}

process.exitCode = await main();
