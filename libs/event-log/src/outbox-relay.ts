/**
 * Empties a service's outbox into the event log: in the order of the rows, until the log acknowledges, woken by commits. It works at least once:
 * after a lost acknowledgement it publishes the same rows again. The service defines its rows, and what happens to them once they are published.
 */
import type { TopicSpec } from '@cloakroom/contracts';
import type { EventLog } from './event-log.ts';
import type { Logger } from '@cloakroom/platform';

/** A commit wakes the relay. This interval is for rows of an earlier process. */
export const outboxPollIntervalMs = 500;
/** The relay asks an absent log often, so that a page's "pending" ends soon after the log is back. */
const retryDelaysMs = [50, 100, 200, 400, 800, 1_000] as const;

/** Counts the commits, and wakes the waiting relay. */
export class Commits {
  count = 0;
  readonly wakes = new Set<() => void>();

  /** A row was committed, here or in another process. */
  readonly notice = (): void => {
    this.count += 1;
    this.wakes.forEach((wake) => wake());
  };
}

export interface OutboxRelay {
  readonly topics: readonly TopicSpec[];
  readonly eventLog: Pick<EventLog, 'ensureTopics'>;
  readonly commits: Commits;
  readonly log: Logger;
  /** Publishes the oldest rows of a topic. @returns whether there may be more */
  publishRows(topic: TopicSpec): Promise<boolean>;
}

/** Runs until `ended` aborts: the tenure of a lease (database.lease.ts). */
export async function relayOutbox(ended: AbortSignal, { topics, eventLog, commits, log, publishRows }: OutboxRelay): Promise<void> {
  const ensureTopics = once(() => unlessStopped(eventLog.ensureTopics(topics), ended));
  const worker = async (topic: TopicSpec): Promise<void> => {
    for (let failures = 0; !ended.aborted;) {
      try {
        await ensureTopics();
        const seen = commits.count;
        const more = await publishRows(topic);
        if (failures > 0) log.info({ topic: topic.name }, 'publishing goes on');
        failures = 0;
        // A commit made while the log answered woke no waiter, so look again.
        if (!more && seen === commits.count) await pauseUntil(outboxPollIntervalMs, ended, commits.wakes);
      } catch (error) {
        if (failures === 0 && !ended.aborted) log.warn({ err: error, topic: topic.name }, 'publishing waits');
        await pauseUntil(retryDelaysMs[Math.min(failures, retryDelaysMs.length - 1)]!, ended);
        failures += 1;
      }
    }
  };
  await Promise.all(topics.map(worker));
}

/** Ends early when stopped, or woken by one of `wakes`. */
export function pauseUntil(durationMs: number, stopped: AbortSignal, wakes?: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', end);
      wakes?.delete(end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    stopped.addEventListener('abort', end, { once: true });
    wakes?.add(end);
    if (stopped.aborted) end();
  });
}

/** The relay waits for an absent broker longer than a process has to stop, so a stop ends the wait. */
async function unlessStopped(work: Promise<void>, stopped: AbortSignal): Promise<void> {
  let stop = (): void => undefined;
  const stopping = new Promise<never>((_, reject) => (stop = () => reject(new Error('the relay stops'))));
  stopped.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, stopping]);
  } finally {
    stopped.removeEventListener('abort', stop);
  }
}

/** Repeats until the first success. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done = false;
  return async () => {
    if (done) return;
    await work();
    done = true;
  };
}
