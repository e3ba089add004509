/** The one place where a process chooses its event log. */
import type { Clock } from './clock.ts';
import { EmbeddedEventLog } from './event-log.embedded.ts';
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
export async function openEventLog(choice: EventLogChoice): Promise<EventLog> {
  if (choice.kind === 'embedded') return new EmbeddedEventLog(choice);
  throw new Error('the Kafka event log is not here yet');
}
