/** Imitates a cart service of an older build, which does not know the version of some carts' events. The log itself stays as it is. */
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import type { EventLog, LogRecord } from '@cloakroom/event-log';

/**
 * Makes `eventLog` hand over the records of these carts with a later version. A cart that is taken out of the set is readable again.
 * @param concerns which of these records; all when it is left out
 */
export function readAsOlderBuild(
  eventLog: EventLog,
  events: TopicSpec,
  concerns: (record: LogRecord) => boolean = () => true,
): Set<string> {
  const newer = new Set<string>();
  const subscribe = eventLog.subscribe.bind(eventLog);
  eventLog.subscribe = (options) =>
    subscribe({
      ...options,
      handler: (batch, control) => {
        if (batch.topic !== events.name) return options.handler(batch, control);
        const records = batch.records.map((record) =>
          newer.has(record.key) && concerns(record)
            ? { ...record, headers: { ...record.headers, [recordHeaders.eventVersion]: Buffer.from('9') } }
            : record,
        );
        return options.handler({ ...batch, records }, control);
      },
    });
  return newer;
}
