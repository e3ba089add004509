/** A cart service of an older build: events of some carts are of a version that it does not know. The log itself holds them whole. */
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';

/** From here on `eventLog` hands over records of these carts as a later version's; take a cart out of the set, and it is mended. */
export function readAsOlderBuild(eventLog: EventLog, events: TopicSpec): Set<string> {
  const newer = new Set<string>();
  const subscribe = eventLog.subscribe.bind(eventLog);
  eventLog.subscribe = (options) =>
    subscribe({
      ...options,
      handler: (batch, control) => {
        if (batch.topic !== events.name) return options.handler(batch, control);
        const records = batch.records.map((record) =>
          newer.has(record.key) ? { ...record, headers: { ...record.headers, [recordHeaders.eventVersion]: Buffer.from('9') } } : record,
        );
        return options.handler({ ...batch, records }, control);
      },
    });
  return newer;
}
