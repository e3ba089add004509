/**
 * Lets one process at a time do work that two at once would spoil (auth's relay). With PostgreSQL the server gives the lease to one session
 * (database.lease.postgres.ts). With SQLite this process is the only one there can be.
 */
import type { DatabaseOptions } from './database.postgres.ts';
import { isSqliteUrl } from './database.ts';

export interface Tenure {
  /** Aborts when the lease is lost, or given up by `stop`. */
  readonly ended: AbortSignal;
  /** @throws when the lease is not provably held any more */
  confirm(): Promise<void>;
}

export interface Lease {
  /** Runs `work` whenever this process holds the lease, until `ended` aborts. Called once. */
  hold(work: (tenure: Tenure) => Promise<void>): void;
  held(): boolean;
  /** Called when another process of this service ran `pg_notify(channel, '')`. Only the holder hears it. */
  onNotice(listener: () => void): void;
  /**
   * This process' answer to `askHolder` while it holds the lease, made at that moment. No answer is sent for undefined or more than 1,000 characters.
   */
  onQuestion(answer: () => string | undefined): void;
  /**
   * Asks the process that holds the lease, through the database, so that replicas need not know one another's addresses. The holder makes the answer
   * after the question. @returns undefined when no answer came within `answerTimeoutMs`
   */
  askHolder(): Promise<string | undefined>;
  /** Ends the work, then gives the lease up. */
  stop(): Promise<void>;
}

/** @param lease a name within the database, also the channel of notices: lower case letters and `_` */
export async function openLease(url: string, lease: string, options: DatabaseOptions): Promise<Lease> {
  if (isSqliteUrl(url)) return soleLease();
  const { PostgresLease } = await import('./database.lease.postgres.ts');
  return new PostgresLease(url, lease, options);
}

/** The lease of the only process that there is. */
export function soleLease(): Lease {
  const stopping = new AbortController();
  let working: Promise<void> = Promise.resolve();
  let answer = (): string | undefined => undefined;
  return {
    hold: (work) => {
      working = work({ ended: stopping.signal, confirm: () => Promise.resolve() });
    },
    held: () => !stopping.signal.aborted,
    onNotice: () => undefined,
    onQuestion: (given) => void (answer = given),
    askHolder: () => Promise.resolve(stopping.signal.aborted ? undefined : answer()),
    stop: async () => {
      stopping.abort();
      await working;
    },
  };
}
