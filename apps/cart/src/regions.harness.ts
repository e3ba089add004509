/** Two cart services in the test's own process, each with a log and a view of its own, and a mirror that does as MirrorMaker. */
import { mirroredTopic, recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import { EmbeddedEventLog, RetryLater, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { openHarness, quiet, type Harness } from './cart.harness.ts';
import { cartTopics, topicsBeside } from './cart.dependencies.ts';

export type Region = 'eu' | 'us';
const other = (region: Region): Region => (region === 'eu' ? 'us' : 'eu');

/** The topics that cross in `npm start -- --profile regions`, as far as cart could read them. */
const crossing: readonly TopicSpec[] = [cartTopics.events, cartTopics.identity, cartTopics.orders];

export type TwoRegions = Awaited<ReturnType<typeof openRegions>>;

export async function openRegions() {
  const logs = { eu: newLog(), us: newLog() };
  const open = (region: Region, group?: string): Promise<Harness> =>
    openHarness({ eventLog: logs[region], topics: topicsBeside([other(region)]), region, ...(group !== undefined && { group }) });
  const carts = { eu: await open('eu'), us: await open('us') };
  const ocean = { isCut: false };
  const mirrors = await Promise.all((['eu', 'us'] as const).map((from) => startMirror(logs[from], from, logs[other(from)], ocean)));
  return {
    ...carts,
    logs,
    cut: () => void (ocean.isCut = true),
    heal: () => void (ocean.isCut = false),
    /** A second process of a region. */
    join: (region: Region): Promise<Harness> =>
      openHarness({ eventLog: logs[region], view: carts[region].view, topics: topicsBeside([other(region)]), region }),
    async stop(): Promise<void> {
      await Promise.all(mirrors.map((mirror) => mirror.stop()));
      await Promise.all([carts.eu.stop(), carts.us.stop()]);
      await Promise.all([logs.eu.close(), logs.us.close()]);
    },
  };
}

const newLog = (): EmbeddedEventLog => new EmbeddedEventLog({ log: quiet, clock: systemClock });

/** In order and at least once. It repeats a batch that it could not copy as a whole. */
async function startMirror(from: EventLog, region: Region, to: EventLog, ocean: { readonly isCut: boolean }) {
  const copies = crossing.map((topic) => mirroredTopic(topic, region));
  await to.ensureTopics(copies);
  return from.subscribe({
    group: 'mirror',
    topics: crossing,
    from: 'earliest',
    handler: async ({ topic, records }) => {
      if (ocean.isCut) throw new RetryLater('the ocean is cut');
      await to.publish(
        mirroredTopic(
          crossing.find(({ name }) => name === topic)!,
          region,
        ),
        records.map(withOrigin),
      );
    },
  });
}

/** As infra/kafka/mirror/OriginHeaders.java does. */
function withOrigin({ key, value, headers, partition, offset }: LogRecord) {
  const origin = { [recordHeaders.logPartition]: Buffer.from(String(partition)), [recordHeaders.logOffset]: Buffer.from(String(offset)) };
  return { key, value, partition, headers: { ...headers, ...origin } };
}

/** The events of a topic, by their type. */
export async function typesIn(log: EventLog, topic: TopicSpec): Promise<string[]> {
  const bounds = await log.bounds(topic);
  let left = [...bounds.values()].reduce((sum, { first, next }) => sum + next - first, 0n);
  const types: string[] = [];
  const read = Promise.withResolvers<void>();
  if (left === 0n) return types;
  const reader = await log.subscribe({
    group: `types-${Math.random()}`,
    topics: [topic],
    from: 'earliest',
    handler: ({ records }) => {
      types.push(...records.map(({ headers }) => headers[recordHeaders.eventType]?.toString() ?? ''));
      left -= BigInt(records.length);
      if (left <= 0n) read.resolve();
      return Promise.resolve();
    },
  });
  await read.promise;
  await reader.stop();
  return types;
}
