/**
 * Commits of one generation, beside the reading. One request at a time commits everything handled meanwhile. Waiting for a commit a batch (24
 * partitions, 24 requests) would hold back the next fetch, and with it every other partition and the lease.
 *
 * Subtlety: a commit that fails or comes late costs a repetition, never a record, since it names only handled records. A generation's commits end
 * with it. The batch that ends it writes the last ones (see KafkaSubscription).
 */
import type { EachBatchPayload } from 'kafkajs';
import { pause } from '../event-log.delivery.ts';
import { keyOf } from './event-log.kafka.generation.ts';
import type { EventLogReporter, TopicPartition } from '../event-log.ts';

export interface CommitOffset extends TopicPartition {
  readonly offset: string;
}

const retryDelayMs = 500;

const nothing = () => undefined;

export class Commits {
  static readonly none = new Commits(() => Promise.resolve(), AbortSignal.abort(), {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
  });
  readonly #write: (offsets: CommitOffset[]) => Promise<void>;
  readonly #over: AbortSignal;
  readonly #log: EventLogReporter;
  readonly #waiting = new Map<string, CommitOffset>();
  #writing: Promise<void> | undefined;

  constructor(write: (offsets: CommitOffset[]) => Promise<void>, over: AbortSignal, log: EventLogReporter) {
    this.#write = write;
    this.#over = over;
    this.#log = log;
  }

  add(offset: CommitOffset): void {
    this.#waiting.set(keyOf(offset), offset);
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined));
  }

  /** Takes the commits that could not be written yet. */
  take(): CommitOffset[] {
    const offsets = [...this.#waiting.values()];
    this.#waiting.clear();
    return offsets;
  }

  /** Resolves when no commit is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#over.aborted) {
      const offsets = this.take();
      try {
        await this.#write(offsets);
      } catch (error) {
        this.#log.debug({ err: error }, 'offsets could not be committed; trying again');
        for (const offset of offsets) if (!this.#waiting.has(keyOf(offset))) this.#waiting.set(keyOf(offset), offset);
        await pause(retryDelayMs, this.#over);
      }
    }
  }
}

/** The last commit of a generation that is over: kafkajs' own commit sends nothing while it stops. */
export async function commitNow(commits: Commits, payload: EachBatchPayload): Promise<void> {
  const topics = commits.take().map(({ topic, partition, offset }) => ({ topic, partitions: [{ partition, offset }] }));
  await payload.commitOffsetsIfNecessary({ topics });
}
