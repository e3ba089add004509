import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import type { TopicSpec } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import { toEventLogError } from './event-log.kafka.client.ts';
import { Freshness } from './event-log.kafka.freshness.ts';
import { KafkaPublisher, publishTimeoutMs } from './event-log.kafka.producer.ts';
import { openEventLog } from '../event-log.open.ts';

const topic: TopicSpec = { name: 'nowhere', partitions: 3, cleanup: 'delete', retentionMs: -1 };
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

/** A port where nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
const options = async () => ({ brokers: [await closedPort()], clientId: 'test', log, clock: systemClock });

describe('publishing without a broker', () => {
  it('rejects in time, and knows that nothing was written', async () => {
    const publisher = new KafkaPublisher(await options());
    const [crowd, beganMs] = [watchCrowd(), systemClock.monotonicMs()];
    await expect(publisher.publish(topic, [{ key: 'k', value: null }])).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
    expect(systemClock.monotonicMs() - beganMs).toBeLessThan(publishTimeoutMs + crowd.roomMs(500));
    await publisher.close();
  });

  it('lets no more wait than it has room for, in records and in bytes', async () => {
    const publisher = new KafkaPublisher(await options());
    const records = Array.from({ length: 5_000 }, () => ({ key: 'k', value: Buffer.alloc(10) }));
    const waiting = [publisher.publish(topic, records), publisher.publish(topic, records)];
    const [crowd, beganMs] = [watchCrowd(), systemClock.monotonicMs()];
    await expect(publisher.publish(topic, [{ key: 'k', value: null }])).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
    expect(systemClock.monotonicMs() - beganMs).toBeLessThan(crowd.roomMs(200));
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const large = Array.from({ length: 30 }, () => publisher.publish(topic, [{ key: 'k', value: Buffer.alloc(800_000) }]));
    const full: unknown[] = [];
    for (const one of large) one.catch((error: Error) => full.push(error.message));
    await vi.waitFor(() => expect(full).toHaveLength(10), { timeout: publishTimeoutMs - 500, interval: 5 });
    await Promise.allSettled(large);
    await publisher.close();
  });

  it('closes while records wait, and answers each of them', async () => {
    const events = await openEventLog({ kind: 'kafka', ...(await options()) });
    const publishing = events.publish(topic, [{ key: 'k', value: null }]);
    const closing = events.close();
    await expect(publishing).rejects.toMatchObject({ kind: 'retriable' });
    await closing;
    await expect(events.publish(topic, [{ key: 'k', value: null }])).rejects.toMatchObject({ kind: 'fatal' });
  });
});

describe('subscribing without a broker', () => {
  it('waits for it, has heard nothing, and stops when asked', async () => {
    const events = await openEventLog({ kind: 'kafka', ...(await options()) });
    const subscription = await events.subscribe({ group: 'g', topics: [topic], from: 'earliest', handler: () => Promise.resolve() });
    expect(subscription.assigned()).toEqual([]);
    expect(subscription.lastHeardMs()).toBeUndefined();
    const [crowd, beganMs] = [watchCrowd(), systemClock.monotonicMs()];
    await events.close();
    expect(systemClock.monotonicMs() - beganMs).toBeLessThan(crowd.roomMs(8_000));
  });
});

describe('the mended request queue', () => {
  interface Queue {
    push(request: object): void;
    fulfillRequest(response: object): void;
    checkPendingRequests(): void;
    maybeThrottle(ms: number): void;
    destroy(): void;
  }
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as new (options: object) => Queue;
  const newQueue = () =>
    new RequestQueue({
      maxInFlightRequests: 1,
      requestTimeout: 1_000,
      clientId: 'c',
      broker: 'b',
      logger: { ...log, namespace: () => log },
    });
  const request = (correlationId: number, sendRequest: () => void) => ({
    entry: { correlationId, resolve: silent, reject: silent },
    expectResponse: true,
    sendRequest,
  });

  it('arms no timer with nothing to send, and sends what waits once an answer came or the throttle ended', async () => {
    const armed = vi.spyOn(globalThis, 'setTimeout');
    const queue = newQueue();
    queue.checkPendingRequests();
    expect(armed).not.toHaveBeenCalled();
    armed.mockRestore();
    const sent: number[] = [];
    queue.push(request(1, () => sent.push(1)));
    queue.push(request(2, () => sent.push(2)));
    expect(sent).toEqual([1]);
    queue.fulfillRequest({ correlationId: 1, payload: null, size: 0 });
    expect(sent).toEqual([1, 2]);
    queue.fulfillRequest({ correlationId: 2, payload: null, size: 0 });
    queue.maybeThrottle(50);
    queue.push(request(3, () => sent.push(3)));
    expect(sent).toEqual([1, 2]);
    await vi.waitFor(() => expect(sent).toEqual([1, 2, 3]));
    queue.destroy();
  });
});

describe('freshness', () => {
  const fetch = (broker: string, correlationId: number) => ({ broker, apiKey: 1, correlationId });
  it('counts from when a fetch was sent, only once it was answered, and takes the oldest broker for a batch', () => {
    let nowMs = 100;
    const freshness = new Freshness(
      () => nowMs,
      () => true,
    );
    freshness.sent(fetch('a', 1));
    nowMs = 200;
    expect(freshness.heardMs).toBeUndefined();
    expect(freshness.batchFetchedMs).toBe(0);
    freshness.answered(fetch('a', 1));
    expect([freshness.heardMs, freshness.batchFetchedMs]).toEqual([100, 100]);
    freshness.sent(fetch('b', 1));
    freshness.sent({ ...fetch('b', 2), apiKey: 12 });
    nowMs = 300;
    freshness.answered({ ...fetch('b', 2), apiKey: 12 });
    freshness.answered(fetch('a', 1));
    expect(freshness.heardMs).toBe(100);
    freshness.answered(fetch('b', 1));
    expect([freshness.heardMs, freshness.batchFetchedMs]).toEqual([200, 100]);
  });
  it('forgets a broker that answers no longer, once nothing of it can be in hand: its last answer must not grow old for ever', () => {
    let nowMs = 0;
    let idle = false;
    const freshness = new Freshness(
      () => nowMs,
      () => idle,
    );
    const ask = (broker: string, correlationId: number, atMs: number) => {
      nowMs = atMs;
      freshness.sent(fetch(broker, correlationId));
      freshness.answered(fetch(broker, correlationId));
    };
    ask('dead', 1, 1_000);
    ask('new', 1, 4_000);
    expect(freshness.batchFetchedMs, 'it may be only slow').toBe(1_000);
    ask('new', 2, 7_000);
    expect(freshness.batchFetchedMs, 'one of its batches may be in hand').toBe(1_000);
    idle = true;
    ask('new', 3, 8_000);
    expect(freshness.batchFetchedMs).toBe(8_000);
    ask('dead', 2, 8_100);
    ask('new', 4, 9_000);
    expect(freshness.batchFetchedMs, 'it is back, and counts again').toBe(8_100);
  });
  it('forgets what an older client still waits for', () => {
    const freshness = new Freshness(
      () => 100,
      () => true,
    );
    freshness.sent(fetch('a', 1));
    freshness.newClient();
    freshness.answered(fetch('a', 1));
    expect(freshness.heardMs).toBeUndefined();
  });
});

describe('errors', () => {
  const answer = (type: string) => new Error('outer', { cause: Object.assign(new Error('inner'), { type }) });
  it.each([
    ['MESSAGE_TOO_LARGE', 'fatal'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'fatal'],
    ['INVALID_PRODUCER_EPOCH', 'fenced'],
    ['NOT_LEADER_FOR_PARTITION', 'retriable'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'retriable'],
  ])('maps %s to %s, however deep it lies', (type, kind) => {
    expect(toEventLogError(answer(type), 'publishing', true)).toMatchObject({ kind, outcomeUnknown: true, message: `publishing: ${type}` });
  });
  it('takes what a broker did not answer for retriable', () => {
    expect(toEventLogError(new Error('socket'), 'publishing', false)).toMatchObject({ kind: 'retriable', outcomeUnknown: false });
  });
});
