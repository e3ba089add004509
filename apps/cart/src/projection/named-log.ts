/**
 * Names the log in each cart event that is appended to it. The copy of a log in another region goes on when the log was replaced, with offsets
 * that it has used before. Only the name tells a new record from a repetition. So the name is asked for again after every failure that may mean
 * another log. Whoever asks the log which one it is renews it too: the projector does after each assignment.
 */
import { recordHeaders } from '@cloakroom/contracts';
import { EventLogError, type EventLog } from '@cloakroom/event-log';
import type { CartTopics } from '../cart.dependencies.ts';

/** A shop of one region gets its log as it is. */
export function namedLog(eventLog: EventLog, { events, mirrors }: CartTopics): EventLog {
  if (mirrors === undefined) return eventLog;
  /** Settled, or one question that all publishes share. */
  let known: Promise<Buffer> | undefined;
  const describe: EventLog['describe'] = async () => {
    const described = await eventLog.describe();
    known = Promise.resolve(Buffer.from(described.clusterId));
    return described;
  };
  const ask = async (): Promise<Buffer> => {
    try {
      return Buffer.from((await eventLog.describe()).clusterId);
    } catch (error) {
      throw new EventLogError('retriable', 'the log does not say which one it is', { outcomeUnknown: false, cause: error });
    }
  };
  const publish: EventLog['publish'] = async (topic, records) => {
    if (topic.name !== events.name) return eventLog.publish(topic, records);
    try {
      const logId = await (known ??= ask());
      const named = records.map((record) => ({ ...record, headers: { ...record.headers, [recordHeaders.logId]: logId } }));
      return await eventLog.publish(topic, named);
    } catch (error) {
      // The log that comes back may be another one. A fatal error is the record's fault.
      if (!(error instanceof EventLogError && error.kind === 'fatal')) known = undefined;
      throw error;
    }
  };
  return new Proxy(eventLog, {
    get(target, key) {
      if (key === 'publish') return publish;
      if (key === 'describe') return describe;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
