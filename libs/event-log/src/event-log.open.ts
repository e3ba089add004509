/** The one place where a process chooses its event log. */
import type { Clock, ProcessParts } from '@cloakroom/platform';
import { EmbeddedEventLog } from './event-log.embedded.ts';
import type { EventLog, EventLogReporter } from './event-log.ts';

export type EventLogChoice =
  | {
      readonly kind: 'kafka';
      readonly brokers: readonly string[];
      readonly replicationFactor?: number | undefined;
      readonly clientId: string;
      readonly log: EventLogReporter;
      readonly clock: Clock;
    }
  | { readonly kind: 'embedded'; readonly file?: string; readonly log: EventLogReporter; readonly clock: Clock };

/**
 * Opening never waits for a broker. While Kafka is down, a service starts and reports in /readyz that the log is missing. The code of Kafka is read
 * only where it is used.
 */
export async function openEventLog(choice: EventLogChoice): Promise<EventLog> {
  if (choice.kind === 'embedded') return new EmbeddedEventLog(choice);
  const { KafkaEventLog } = await import('./kafka/event-log.kafka.ts');
  return new KafkaEventLog(choice);
}

/** Passed to an app's `start`; the rest comes from its configuration. */
export interface Parts extends ProcessParts {
  /** In embedded mode all services share one log. Otherwise each opens its own by configuration. */
  readonly eventLog?: EventLog;
}

/** The configuration of a process's log (config.ts). */
export interface EventLogConfig {
  readonly EVENT_LOG: 'kafka' | 'embedded';
  readonly KAFKA_BROKERS?: string[] | undefined;
  readonly KAFKA_REPLICATION_FACTOR?: number | undefined;
  readonly EVENT_LOG_FILE?: string | undefined;
  readonly REPLICA: string;
}

/** The log that a service was given (in embedded mode all share one), otherwise one of its own by configuration. */
export function eventLogOf(service: string, config: EventLogConfig, { eventLog, log, clock }: Parts): Promise<EventLog> {
  if (eventLog !== undefined) return Promise.resolve(eventLog);
  if (config.EVENT_LOG === 'kafka') {
    const { KAFKA_BROKERS: brokers = [], KAFKA_REPLICATION_FACTOR: replicationFactor } = config;
    return openEventLog({ kind: 'kafka', brokers, replicationFactor, clientId: `${service}-${config.REPLICA}`, log, clock });
  }
  const file = config.EVENT_LOG_FILE;
  return openEventLog({ kind: 'embedded', ...(file !== undefined && { file }), log, clock });
}
