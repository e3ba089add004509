/** The one place where a process chooses its event log. */
import type { Clock } from './clock.ts';
import { EmbeddedEventLog } from './event-log.embedded.ts';
import { KafkaEventLog } from './event-log.kafka.ts';
import type { EventLog, EventLogReporter } from './event-log.ts';

export type EventLogChoice =
  | {
      readonly kind: 'kafka';
      readonly brokers: readonly string[];
      readonly clientId: string;
      readonly log: EventLogReporter;
      readonly clock: Clock;
    }
  | { readonly kind: 'embedded'; readonly file?: string; readonly log: EventLogReporter; readonly clock: Clock };

/** Opening never waits for a broker: a service starts, and says in /readyz what it lacks, while Kafka is down. */
export function openEventLog(choice: EventLogChoice): Promise<EventLog> {
  return Promise.resolve(choice.kind === 'embedded' ? new EmbeddedEventLog(choice) : new KafkaEventLog(choice));
}
