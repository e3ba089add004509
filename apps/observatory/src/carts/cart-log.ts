/**
 * Reads the log of one cart by cart's own program, `npm run cart -- history`, started as a process. It joins no group of the shop, holds nothing up,
 * and folds by the rules of the projector, so this page cannot have rules of its own.
 */
import { spawn } from 'node:child_process';
import { isGuestSubject, isUserSubject, partitionOf, topics } from '@cloakroom/contracts';
import { parseTraceparent } from '@cloakroom/platform/process-life';
import type { CartLogView, CartStepView } from '../api.ts';
import type { ObservatoryConfig } from '../config.ts';
import { Refusal } from '../edge/refusal.ts';

/** Each is a process of 80 MB for a second. */
const readersMax = 2;
/** A page asks for one cart, and again after each request of its trainee. More than these are no person's. */
const waitingMax = 8;
/** The program itself gives the log up after 10 s of silence. A crowded machine takes that long to start it. */
const timeoutMs = 40_000;
/** A cart of 500 events with a whole cart after each. */
const outputLengthMax = 16 * 1024 * 1024;

export interface CartLogSource {
  /** The built program; '' where there is none. */
  readonly program: string;
  /** KAFKA_BROKERS or EVENT_LOG_FILE. With two regions, those of the first one. */
  readonly env: Readonly<Record<string, string>>;
  /** With two regions: the same for each, with the names of both, so that the program reads the copies too. */
  readonly byRegion?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function cartLogSourceOf({ CART_HISTORY_PROGRAM, CART_LOGS, EVENT_LOG_FILE, KAFKA_BROKERS }: ObservatoryConfig): CartLogSource {
  return {
    program: CART_HISTORY_PROGRAM,
    env: EVENT_LOG_FILE === '' ? { KAFKA_BROKERS } : { EVENT_LOG_FILE },
    byRegion: CART_LOGS,
  };
}

/** A row of the program's --json. */
interface Row {
  readonly offset: string;
  readonly region?: string;
  readonly at: string;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly unreadable?: string;
  readonly changed: boolean;
  readonly traceparent?: string;
  readonly after: CartStepView['after'];
}

export class CartLogs {
  readonly #source: CartLogSource;
  #reading = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(source: CartLogSource) {
    this.#source = source;
  }

  /**
   * Waits for its turn where other logs are being read.
   *
   * @param gone ends the reading, and with it the program: a page that was left must not hold a place
   * @param region whose logs: its own and its copies of the others. Undefined in a shop of one region
   * @throws Refusal
   */
  async read(cartId: string, gone: AbortSignal, region?: string): Promise<CartLogView> {
    if (!isUserSubject(cartId) && !isGuestSubject(cartId))
      throw new Refusal('invalid_request', 'A cart id is u_... of a person or g_... of a guest.');
    if (this.#source.program === '') throw new Refusal('not_found', 'This Observatory was not told where the log is. npm start tells it.');
    const env = this.#envOf(region);
    await this.#turn();
    try {
      gone.throwIfAborted();
      const rows = await this.#rowsOf(cartId, gone, env);
      const guests = Object.entries(rows.at(-1)?.after.joined ?? {});
      return {
        cartId,
        region,
        partition: partitionOf(cartId, topics.cartEvents),
        guests: guests.map(([id, { guestOffset }]) => ({
          cartId: id,
          partition: partitionOf(id, topics.cartEvents),
          upToOffset: guestOffset,
        })),
        steps: rows.map(stepOf),
      };
    } finally {
      const next = this.#waiting.shift();
      // Whoever waited takes the place over.
      if (next === undefined) this.#reading--;
      else next();
    }
  }

  /** @throws Refusal where too many wait already */
  async #turn(): Promise<void> {
    if (this.#reading < readersMax) this.#reading++;
    else if (this.#waiting.length >= waitingMax) throw new Refusal('too_many_requests', `${waitingMax} logs wait to be read already.`);
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** @throws Refusal for a region that this shop has not, and in a shop of one region for any */
  #envOf(region: string | undefined): CartLogSource['env'] {
    const { env, byRegion = {} } = this.#source;
    if (region === undefined) return env;
    const found = Object.hasOwn(byRegion, region) ? byRegion[region] : undefined;
    if (found !== undefined) return found;
    const names = Object.keys(byRegion).join(', ');
    throw new Refusal('invalid_request', names === '' ? 'This shop has one region, and it has no name.' : `A region is one of: ${names}.`);
  }

  #rowsOf(cartId: string, gone: AbortSignal, env: CartLogSource['env']): Promise<Row[]> {
    const { program } = this.#source;
    return new Promise((resolve, reject) => {
      const args = ['--disable-warning=ExperimentalWarning', program, cartId, '--json'];
      const child = spawn(process.execPath, args, {
        env: { ...env, LOG_LEVEL: 'error' },
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: timeoutMs,
        signal: gone,
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.length > outputLengthMax) child.kill('SIGKILL');
      });
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 2) reject(new Refusal('not_found', 'There is no such cart in the log.'));
        else if (code !== 0) reject(new Refusal('log_unreadable', 'The log did not answer in time. Is Kafka paused or away?'));
        else resolve(output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row])));
      });
    });
  }
}

function stepOf({ offset, region, at, event, unreadable, changed, traceparent, after }: Row): CartStepView {
  const traceId = parseTraceparent(traceparent)?.traceId;
  return { offset, region, atMs: Date.parse(at), traceId, event, unreadable, changed, after };
}
