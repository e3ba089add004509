/** The operator's command for `redrive.ts`. Lines for a person go to standard output, and the event log's own errors to standard error. */
import { parseArgs } from 'node:util';
import { openEventLog } from '@cloakroom/event-log';
import { ConfigError, createLogger, systemClock } from '@cloakroom/platform';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import { readRedriveConfig, type RedriveConfig } from './config.ts';
import { topicsBeside } from './cart.dependencies.ts';
import type { DeadLetter } from './operations/read-dead-letters.ts';
import { redriveClaims, redriveOrders } from './operations/redrive-sources.ts';
import { redrive } from './operations/redrive.ts';

const help = `Puts dead letters back to the end of the log that they came from, after whatever made them unreadable is mended: events of carts, claims of
guest carts, and confirmed orders.

  KAFKA_BROKERS=... CART_REDIS_URL=... node apps/cart/dist/redrive.main.js [--dry-run]

  --dry-run   only say what would be put back, and what would be left
  --help      this

Environment:
  KAFKA_BROKERS    where cart.events, identity.events, order.events and their .dlq are (host:port, comma separated)
  CART_REDIS_URL   the carts' view: it marks what each cart waits for
  OTHER_REGIONS    as for cart, with REGION: dead letters of the copies of their logs are put back too
  LOG_LEVEL        of the lines on standard error; default error

A record that still cannot be read is left where it is, and its cart stays incomplete. Repeating a run is harmless.
Every cart service of the region must be of this build first: an older one buries the record again. Run it until it says "0 put back".
Exit code: 0 nothing is left, 3 some records are left, 1 it could not be done, 78 the environment is not valid.
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function lineOf({ cartId, partition, region, origin, outcome }: DeadLetter, dryRun: boolean): string | undefined {
  const where = `${cartId}  partition ${partition}, offset ${origin ?? 'unknown'}${region === undefined ? '' : ` of ${region}`}`;
  if (outcome.is === 'put_back') return `${dryRun ? 'would put back' : 'put back'}  ${where}`;
  return outcome.is === 'left' ? `left  ${where}: ${outcome.why}` : undefined;
}

async function run({ KAFKA_BROKERS, CART_REDIS_URL, LOG_LEVEL, OTHER_REGIONS }: RedriveConfig, dryRun: boolean): Promise<number> {
  const log = createLogger('cart-redrive', LOG_LEVEL, process.stderr);
  const eventLog = await openEventLog({ kind: 'kafka', brokers: KAFKA_BROKERS, clientId: 'cart-redrive', log, clock: systemClock });
  const view = openRedisCartView({ url: CART_REDIS_URL, log });
  try {
    const parts = {
      eventLog,
      view,
      topics: topicsBeside(OTHER_REGIONS.map(({ region }) => region)),
      clock: systemClock,
      dryRun,
      tell: (letter: DeadLetter) => {
        const line = lineOf(letter, dryRun);
        if (line !== undefined) print(line);
      },
    };
    const sums = [await redrive(parts), await redriveClaims(parts), await redriveOrders(parts)];
    const [putBack, done, left] = (['putBack', 'done', 'left'] as const).map((what) => sums.reduce((sum, one) => sum + one[what], 0));
    print(`${putBack} ${dryRun ? 'would be put back' : 'put back'}, ${left} left, ${done} done before.`);
    if (left! > 0) print('What is left cannot be read by this build. Its carts stay incomplete.');
    return left! > 0 ? 3 : 0;
  } finally {
    await view.close();
    await eventLog.close();
  }
}

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } });
    if (values.help === true) {
      print(help);
      return 0;
    }
    return await run(readRedriveConfig(), values['dry-run']);
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
