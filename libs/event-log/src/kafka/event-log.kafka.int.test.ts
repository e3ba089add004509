import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { TopicSpec } from '@cloakroom/contracts';
import kafkajs from 'kafkajs';
import { openTcpProxy, type TcpProxy, untilStopped, watchCrowd } from '@cloakroom/testing';
import { eventLogContract } from '../contract/event-log.contract.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import { publishTimeoutMs } from './event-log.kafka.producer.ts';
import { openEventLog } from '../event-log.open.ts';
import type { EventLog, LogRecord } from '../event-log.ts';

const { ConfigResourceTypes, Kafka } = kafkajs;
const broker = process.env['TEST_KAFKA_BROKERS'] ?? '127.0.0.1:9092';
const brokerPid = Number(process.env['TEST_KAFKA_PID']);
const level = process.env['LOG_LEVEL'];
const say = (name: string) => (fields: object, message: string) => void (level === 'debug' && console.log(name, message, fields));
const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
const open = (clientId: string, brokers = [broker]) => openEventLog({ kind: 'kafka', brokers, clientId, log, clock: systemClock });
const unique = (prefix: string) => `${prefix}-${randomBytes(6).toString('hex')}`;
const patience = { timeout: 30_000, interval: 20 };

eventLogContract('kafka', async () => {
  const [events, other] = await Promise.all([open('contract'), open('contract-other')]);
  return {
    log: events,
    other,
    monotonicMs: () => systemClock.monotonicMs(),
    silence: async () => {
      process.kill(brokerPid, 'SIGSTOP');
      await untilStopped(brokerPid);
    },
    speak: () => void process.kill(brokerPid, 'SIGCONT'),
    close: async () => {
      await Promise.all([events.close(), other.close()]);
    },
  };
});

it('answers for topics as soon as they are said to be there', async () => {
  const events = await open('new-topics');
  for (let n = 0; n < 5; n++) {
    const topics = [1, 2].map((): TopicSpec => ({ name: unique('new'), partitions: 24, cleanup: 'delete', retentionMs: 3_600_000 }));
    await events.ensureTopics(topics);
    for (const topic of topics) expect((await events.bounds(topic)).size).toBe(24);
  }
  await events.close();
});

it('a copy of a topic keeps the times of its origin, and any other topic has those of the broker', async () => {
  const events = await open('stamps');
  const admin = new Kafka({ brokers: [broker], logLevel: 0 }).admin();
  await admin.connect();
  const stampOf = async (extra: Partial<TopicSpec>): Promise<string | undefined> => {
    const topic: TopicSpec = { name: unique('stamps'), partitions: 1, cleanup: 'delete', retentionMs: 3_600_000, ...extra };
    await events.ensureTopics([topic]);
    const configNames = ['message.timestamp.type'];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic.name, configNames }],
    });
    return resources[0]?.configEntries[0]?.configValue;
  };
  expect([await stampOf({ stampedBy: 'origin' }), await stampOf({})]).toEqual(['CreateTime', 'LogAppendTime']);
  await admin.disconnect();
  await events.close();
});

describe('faults that only a broker can have', { timeout: 240_000 }, () => {
  let direct: EventLog;
  let proxied: EventLog;
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await openTcpProxy({ port: Number(broker.split(':')[1]), protocol: 'kafka' });
    [direct, proxied] = await Promise.all([open('direct'), open('proxied', [proxy.address])]);
  });
  afterEach(() => proxy.mend());
  afterAll(async () => {
    await Promise.all([direct.close(), proxied.close()]);
    await proxy.close();
  });

  async function newTopic(partitions: number): Promise<TopicSpec> {
    const topic: TopicSpec = { name: unique('faults'), partitions, cleanup: 'delete', retentionMs: 3_600_000 };
    await direct.ensureTopics([topic]);
    return topic;
  }

  async function read(topic: TopicSpec, from = direct, group = unique('group')) {
    const records: LogRecord[] = [];
    const subscription = await from.subscribe({
      group,
      topics: [topic],
      from: 'earliest',
      handler: (batch) => Promise.resolve(void records.push(...batch.records)),
    });
    return { records, subscription };
  }

  const one = (value: string, partition = 0) => [{ key: 'k', value: Buffer.from(value), partition }];
  const atEnd = async (topic: TopicSpec, records: readonly LogRecord[]) => {
    const bounds = await direct.bounds(topic);
    expect(BigInt(records.length)).toBe([...bounds.values()].reduce((sum, { next }) => sum + next, 0n));
  };

  it.each(['cut', 'keep'] as const)(
    'keeps every acknowledged record once, where it was said to be, when answers to Produce are lost (%s)',
    async (and) => {
      const topic = await newTopic(2);
      await proxied.publish(topic, one('warm'));
      const acknowledged = new Map<string, string>();
      for (let round = 0; round < 5; round++) {
        const lost = proxy.dropNextAnswer(0, and);
        const values = Array.from({ length: 12 }, (_, i) => `${round}.${i}`);
        const positions = await Promise.all(values.map((value, i) => proxied.publish(topic, one(value, i % 2))));
        await lost;
        values.forEach((value, i) => acknowledged.set(value, `${positions[i]![0]!.partition}/${positions[i]![0]!.offset}`));
      }
      const { records, subscription } = await read(topic);
      await vi.waitFor(() => atEnd(topic, records), patience);
      await subscription.stop();
      const found = new Map(records.map(({ value, partition, offset }) => [String(value), `${partition}/${offset}`]));
      found.delete('warm');
      expect(found).toEqual(acknowledged);
      expect(records).toHaveLength(acknowledged.size + 1);
    },
  );

  it('says that the outcome is unknown when the broker took the record and nobody heard of it', async () => {
    const topic = await newTopic(1);
    await proxied.publish(topic, one('warm'));
    proxy.mute();
    const crowd = watchCrowd();
    const beganMs = systemClock.monotonicMs();
    const publishing = proxied.publish(topic, one('unheard'));
    await expect(publishing).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: true });
    expect(systemClock.monotonicMs() - beganMs).toBeLessThan(publishTimeoutMs + crowd.roomMs(400));
    const { records, subscription } = await read(topic);
    await vi.waitFor(() => expect(records.map(({ value }) => String(value))).toEqual(['warm', 'unheard']), patience);
    proxy.mend();
    await vi.waitFor(() => proxied.publish(topic, one('heard')), patience);
    await vi.waitFor(() => expect(String(records.at(-1)?.value)).toBe('heard'), patience);
    await subscription.stop();
  });

  it('says that nothing was written when no connection could be made', async () => {
    const topic = await newTopic(1);
    proxy.cut();
    // The first publish may find the dead connection; by then it knows.
    await proxied.publish(topic, one('lost')).catch(() => undefined);
    await expect(proxied.publish(topic, one('refused'))).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
  });

  it('reads on when the broker was gone for longer than the session, and keeps what it had committed', async () => {
    const topic = await newTopic(2);
    const group = unique('group');
    const { records, subscription } = await read(topic, proxied, group);
    await subscription.ready;
    await direct.publish(topic, [...one('0', 0), ...one('1', 1)]);
    await vi.waitFor(async () => expect((await direct.lag(group, topic)).map((of) => of.records)).toEqual([0n, 0n]), patience);
    expect(records).toHaveLength(2);
    const heardMs = subscription.lastHeardMs()!;
    const crowd = watchCrowd();
    proxy.cut();
    await direct.publish(topic, [...one('2', 0), ...one('3', 1)]);
    await vi.waitFor(() => expect(systemClock.monotonicMs() - heardMs).toBeGreaterThan(10_000), patience);
    // The last heard moment is from before the cut, although kafkajs reports fetches as done that no broker answered.
    expect(subscription.lastHeardMs()! - heardMs).toBeLessThan(crowd.roomMs(1_500));
    expect(records).toHaveLength(2);
    proxy.mend();
    await vi.waitFor(() => expect(records.map(({ value }) => String(value)).toSorted()).toEqual(['0', '1', '2', '3']), patience);
    await subscription.stop();
  });

  it('keeps reading when the broker fell silent during a handler', async () => {
    const topic = await newTopic(1);
    const seen: string[] = [];
    const subscription = await proxied.subscribe({
      group: unique('group'),
      topics: [topic],
      from: 'earliest',
      handler: async (batch) => {
        seen.push(...batch.records.map(({ value }) => String(value)));
        if (seen.length > 1) return;
        proxy.mute();
        // Longer than a heartbeat's time-out, shorter than the session.
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        proxy.mend();
      },
    });
    await direct.publish(topic, one('during'));
    await vi.waitFor(() => expect(seen).toContain('during'), patience);
    await direct.publish(topic, one('after'));
    await vi.waitFor(() => expect(seen).toContain('after'), patience);
    await subscription.stop();
  });

  it('takes over the partitions of a killed member within the session time-out, with what it had not committed', async () => {
    const topic = await newTopic(2);
    const group = unique('group');
    const member = spawnMember(topic, group);
    try {
      await member.says('ready 0,1');
      await direct.publish(topic, [...one('a', 0), ...one('b', 1)]);
      await Promise.all([member.says('applied a'), member.says('applied b')]);
      process.kill(member.pid, 'SIGKILL');
      const killedMs = systemClock.monotonicMs();
      const crowd = watchCrowd();
      const { records, subscription } = await read(topic, direct, group);
      await vi.waitFor(() => expect(records.map(({ value }) => String(value)).toSorted()).toEqual(['a', 'b']), patience);
      expect(systemClock.monotonicMs() - killedMs).toBeLessThan(6_000 + crowd.roomMs(3_000));
      await subscription.stop();
    } finally {
      member.end();
    }
  });

  it('arms no timers while nothing happens', async () => {
    const topic = await newTopic(1);
    await direct.publish(topic, one('warm'));
    const { subscription } = await read(topic);
    await subscription.ready;
    const armed = vi.spyOn(globalThis, 'setTimeout');
    const beganMs = systemClock.monotonicMs();
    const heard = () => subscription.lastHeardMs() ?? 0;
    await vi.waitFor(() => expect(heard() - beganMs).toBeGreaterThan(2_000), { ...patience, interval: 500 });
    const count = armed.mock.calls.length;
    armed.mockRestore();
    await subscription.stop();
    // Unpatched: about 900 a second for each connection.
    expect(count).toBeLessThan(60);
  });
});

/** Runs a member in a process of its own. It applies records, commits none, and reports them. */
function spawnMember(topic: TopicSpec, group: string) {
  const module = new URL('../event-log.open.ts', import.meta.url).href;
  const code = `
    import { openEventLog } from ${JSON.stringify(module)};
    const silent = () => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    const events = await openEventLog({ kind: 'kafka', brokers: [${JSON.stringify(broker)}], clientId: 'killed', log, clock });
    const subscription = await events.subscribe({
      group: ${JSON.stringify(group)}, topics: [${JSON.stringify(topic)}], from: 'earliest',
      handler: async (batch) => {
        for (const { value } of batch.records) console.log('applied ' + value);
        await new Promise(() => undefined);
      },
    });
    await subscription.ready;
    console.log('ready ' + subscription.assigned().map(({ partition }) => partition).sort().join());`;
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--experimental-transform-types', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return {
    pid: child.pid!,
    says: (line: string) => vi.waitFor(() => expect(lines).toContain(line), patience),
    end: () => void child.kill('SIGKILL'),
  };
}
