/**
 * Lets one process at a time do work that two at once would spoil (auth's relay). With PostgreSQL the lease is a session-level advisory lock on a
 * connection of its own. The server gives it to one session and takes it back when that session ends. With SQLite this process is the only one there
 * can be.
 *
 * The holder may lose the lease without noticing: a paused process, a cut network. So:
 * - The server ends a lease session that was silent for `silenceMaxMs` (the holder confirms every `confirmIntervalMs`). This bounds the time without
 *   a holder.
 * - The holder asks by that same connection before each action that only a holder may take (`confirm`). An answer proves that at some moment after
 *   the question the lock was still held. An action between the answer and its effect is not fenced; the work itself must bear that (relay.ts says
 *   how it does).
 * - `ended` aborts as soon as the connection breaks or does not answer. This process waits for the work before it tries again.
 *
 * The lease needs a session of its own on the server: no PgBouncer in transaction mode in between.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { connectionTo, type DatabaseOptions, postgresPlace } from './database.postgres.ts';
import type { Lease, Tenure } from './database.lease.ts';
import { reasonOf } from './database.unavailable.ts';

/** Twice a lease of the revocation feed: a paused holder keeps all others from beating for at most this long. */
const silenceMaxMs = 4_000;
/** Four of them fit into the silence. */
const confirmIntervalMs = 1_000;
/** A server that does not answer for this long may have given the lock away. */
const confirmTimeoutMs = 1_500;
/** How soon a stand-by takes over; one small query each. */
const standByIntervalMs = 250;
const reconnectDelayMs = 500;

/** Two notices through the server take a few ms. Far below the budget of an rpc that waits for it. */
const answerTimeoutMs = 300;
const answerLengthMax = 1_000;
const questionPrefix = 'question:';

export class PostgresLease implements Lease {
  readonly #url: string;
  readonly #lease: string;
  readonly #options: DatabaseOptions;
  readonly #stopping = new AbortController();
  readonly #listeners: (() => void)[] = [];
  /** Waiting questions, by id. */
  readonly #asked = new Map<string, (answer: string) => void>();
  #answer: () => string | undefined = () => undefined;
  #client: Client | undefined;
  #running: Promise<void> = Promise.resolve();
  #held = false;
  #reported = '';

  constructor(url: string, lease: string, options: DatabaseOptions) {
    this.#url = url;
    this.#lease = lease;
    this.#options = options;
  }

  hold(work: (tenure: Tenure) => Promise<void>): void {
    this.#running = this.#run(work);
  }

  held(): boolean {
    return this.#held;
  }

  onNotice(listener: () => void): void {
    this.#listeners.push(listener);
  }

  onQuestion(answer: () => string | undefined): void {
    this.#answer = answer;
  }

  async askHolder(): Promise<string | undefined> {
    if (this.#held) return this.#answer();
    const client = this.#client;
    if (client === undefined) return undefined;
    const question = randomUUID();
    const told = new Promise<string>((resolve) => this.#asked.set(question, resolve));
    // A query that fails or hangs counts as a question without an answer.
    const asked = client.query('select pg_notify($1, $2)', [this.#lease, questionPrefix + question]).then(
      () => told,
      () => undefined,
    );
    try {
      await within(asked, answerTimeoutMs);
      return await Promise.race([told, Promise.resolve(undefined)]);
    } finally {
      this.#asked.delete(question);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** The channel of answers also carries answers to other processes. */
  #hear(client: Client, channel: string, payload: string): void {
    if (channel === answersOf(this.#lease)) {
      const [question, answer] = splitOnce(payload);
      this.#asked.get(question)?.(answer);
    } else if (payload.startsWith(questionPrefix)) this.#reply(client, payload.slice(questionPrefix.length));
    else this.#listeners.forEach((listener) => listener());
  }

  #reply(client: Client, question: string): void {
    const answer = this.#held ? this.#answer() : undefined;
    if (answer === undefined || answer.length > answerLengthMax) return;
    // A failed reply is not repeated: the asking process asks again.
    client.query('select pg_notify($1, $2)', [answersOf(this.#lease), `${question} ${answer}`]).catch(() => undefined);
  }

  async #run(work: (tenure: Tenure) => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const client = new Client({ ...connectionTo(this.#url, this.#options), query_timeout: confirmTimeoutMs });
      const ended = new AbortController();
      client.on('error', () => ended.abort());
      client.on('end', () => ended.abort());
      client.on('notification', ({ channel, payload = '' }) => this.#hear(client, channel, payload));
      try {
        await this.#obtain(client, ended.signal);
        await this.#serve(client, ended, work);
      } catch (error) {
        this.#report(reasonOf(error));
      } finally {
        this.#held = false;
        this.#client = undefined;
        // The lock goes with the session. A server that does not answer is not waited for.
        await within(
          client.end().catch(() => undefined),
          confirmTimeoutMs,
        );
      }
      await pause(reconnectDelayMs, this.#stopping.signal);
    }
  }

  async #obtain(client: Client, ended: AbortSignal): Promise<void> {
    await client.connect();
    await client.query(`set idle_session_timeout = ${silenceMaxMs}`);
    await client.query(`listen ${answersOf(this.#lease)}`);
    this.#client = client;
    for (;;) {
      if (ended.aborted) throw new Error('the connection of the lease ended');
      const { rows } = await client.query<{ obtained: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as obtained', [
        this.#lease,
      ]);
      if (rows[0]?.obtained === true) return;
      this.#reported = '';
      await pause(standByIntervalMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) throw new Error('stopped');
    }
  }

  async #serve(client: Client, ended: AbortController, work: (tenure: Tenure) => Promise<void>): Promise<void> {
    await client.query(`listen ${this.#lease}`);
    this.#held = true;
    this.#reported = '';
    this.#options.log.info({ lease: this.#lease }, 'holds the lease');
    const confirm = async (): Promise<void> => {
      if (ended.signal.aborted) throw new Error('the lease is lost');
      try {
        await client.query('select 1');
      } catch (error) {
        ended.abort();
        throw error;
      }
    };
    const signal = AbortSignal.any([ended.signal, this.#stopping.signal]);
    const working = work({ ended: signal, confirm });
    while (!signal.aborted) {
      await pause(confirmIntervalMs, signal);
      if (!signal.aborted) await confirm().catch(() => undefined);
    }
    this.#held = false;
    await working;
    if (!this.#stopping.signal.aborted) this.#options.log.warn({ lease: this.#lease }, 'lost the lease');
  }

  /** Once per outage. */
  #report(reason: string): void {
    if (this.#stopping.signal.aborted || reason === this.#reported) return;
    this.#reported = reason;
    this.#options.log.warn({ lease: this.#lease, database: postgresPlace(this.#url), reason }, 'the lease cannot be asked for');
  }
}

const answersOf = (lease: string): string => `${lease}_answers`;

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function pause(durationMs: number, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      until.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    until.addEventListener('abort', end, { once: true });
    if (until.aborted) end();
  });
}

function within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    void work.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
