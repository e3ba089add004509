/** Shared parts of the event log's contract. */
import { randomBytes } from 'node:crypto';
import type { TopicSpec } from '@cloakroom/contracts';
import type { EventLog, LogRecord, OutgoingRecord, RecordBatch, SubscribeOptions, Subscription } from '../event-log.ts';

export interface EventLogUnderTest {
  readonly log: EventLog;
  /** A second, independent client of the same log; the same object where all share one. */
  readonly other: EventLog;
  monotonicMs(): number;
  /** Silences the log (a paused broker) until `speak`. Resolves when it is silent. */
  silence(): Promise<void>;
  speak(): void;
  close(): Promise<void>;
}

export interface Part {
  under(): EventLogUnderTest;
  newTopic(partitions?: number, extra?: Partial<TopicSpec>): Promise<TopicSpec>;
  subscribe(
    options: Partial<SubscribeOptions> & Pick<SubscribeOptions, 'topics'>,
    log?: EventLog,
  ): Promise<{ subscription: Subscription; records: LogRecord[]; batches: RecordBatch[]; values(): string[] }>;
  numbered(count: number, from?: number): OutgoingRecord[];
}

/** Rebalances in a real group take seconds. */
export const patience = { timeout: 20_000, interval: 20 };

export const unique = (prefix: string): string => `${prefix}-${randomBytes(6).toString('hex')}`;

export const text = (record: LogRecord): string => String(record.value);
export const byNumber = (values: readonly string[]): string[] => values.toSorted((a, b) => Number(a) - Number(b));
export const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => String(from + i));
