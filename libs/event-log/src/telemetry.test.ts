import { randomBytes } from 'node:crypto';
import { observed, observedPrefix, recordHeaders, topics } from '@cloakroom/contracts';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createLogger,
  enterTrace,
  inCallSpan,
  inSpan,
  installTracer,
  loadOtlp,
  privatePrefix,
  runWithin,
  startSpan,
  startTrace,
  systemClock,
  type TraceContext,
} from '@cloakroom/platform';
import { EmbeddedEventLog } from './event-log.embedded.ts';
import type { OutgoingRecord, RecordBatch } from './event-log.ts';
import { inBatchSpan, traceHeaders, traceOfCause, traceOfRecord } from './event-log.traces.ts';

const { openTracer } = await loadOtlp();
const exporter = new InMemorySpanExporter();
const caller = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const topic = topics.cartEvents;
const eventLog = () => new EmbeddedEventLog({ log: createLogger('test', 'silent'), clock: systemClock });

const switchOn = (ratio = 1): void =>
  installTracer(openTracer({ service: 'test', ratio, processors: [new SimpleSpanProcessor({ exporter })] }));
const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
const named = (name: string): ReadableSpan => spans().find((span) => span.name === name)!;
const recordOf = (trace: TraceContext, key = 'g_1'): OutgoingRecord => ({
  key,
  value: Buffer.from('x'),
  headers: { ...traceHeaders(traceOfCause({ trace, experiment: undefined })), [recordHeaders.eventType]: Buffer.from('ItemAdded') },
});
const batchOf = (...records: OutgoingRecord[]): RecordBatch => ({
  topic: topic.name,
  partition: 3,
  highWatermark: BigInt(records.length),
  fetchStartedMs: 0,
  records: records.map((record, offset) => ({
    ...record,
    topic: topic.name,
    partition: 3,
    offset: BigInt(offset),
    headers: record.headers ?? {},
    timestampMs: 0,
  })),
});

beforeEach(() => switchOn());
afterEach(() => {
  installTracer(undefined);
  exporter.reset();
});

it('attributes that only the Observatory gets begin with the prefix that the exporter takes out', () => {
  expect(privatePrefix).toBe(observedPrefix);
  expect(Object.values(observed).filter((name) => !name.startsWith(privatePrefix))).toEqual([]);
  expect([observed.app, observed.replica, observed.region, observed.faultWaits]).toEqual(
    ['app', 'replica', 'region', 'fault.waits'].map((name) => privatePrefix + name),
  );
});

describe('telemetry that is off', () => {
  beforeEach(() => installTracer(undefined));

  it('hands on the W3C context that it was given, and calls nothing in between', async () => {
    const { trace, span } = enterTrace({ name: 'in', kind: 'server' }, caller, randomBytes);
    expect(span).toBeUndefined();
    expect(trace.traceId).toBe(caller.split('-')[1]);
    expect(await inSpan({ name: 'work', kind: 'internal' }, trace, (inner) => Promise.resolve(inner))).toBe(trace);
    expect(await inBatchSpan('process', batchOf(recordOf(trace)), {}, (batch) => Promise.resolve(batch.trace))).toBeUndefined();
    expect(spans()).toEqual([]);
  });

  it('writes records with the trace of their cause', async () => {
    const log = eventLog();
    await log.ensureTopics([topic]);
    const trace = startTrace(randomBytes);
    const seen = Promise.withResolvers<string | null>();
    await log.subscribe({
      group: 'g',
      topics: [topic],
      from: 'earliest',
      handler: ({ records }) => Promise.resolve(seen.resolve(traceOfRecord(records[0]!).traceparent)),
    });
    await log.publish(topic, [recordOf(trace)]);
    expect(await seen.promise).toBe(trace.traceparent);
    await log.close();
  });
});

describe('a span', () => {
  it('is a child of the caller, and what is sent on is its own context', () => {
    const { trace, span } = enterTrace({ name: 'in', kind: 'server' }, caller, randomBytes);
    span!.end();
    expect(named('in').parentSpanContext).toMatchObject({ traceId: caller.split('-')[1], spanId: caller.split('-')[2], isRemote: true });
    expect(trace.traceparent).toBe(`00-${caller.split('-')[1]}-${named('in').spanContext().spanId}-01`);
  });

  it('honours the caller who does not want to be sampled, and passes that on', () => {
    const { trace, span } = enterTrace({ name: 'in', kind: 'server' }, caller.replace(/01$/, '00'), randomBytes);
    span!.end();
    expect(trace.traceparent).toMatch(/-00$/);
    expect(spans()).toEqual([]);
  });

  it('begins a trace by the ratio', () => {
    switchOn(0);
    const { trace, span } = enterTrace({ name: 'in', kind: 'server' }, undefined, randomBytes);
    span!.end();
    expect(trace.traceparent).toMatch(/-00$/);
    expect(spans()).toEqual([]);
  });

  it('says which error ended it, never its message', async () => {
    const work = inSpan({ name: 'work', kind: 'internal' }, startTrace(randomBytes), () =>
      Promise.reject(new RangeError('ada@example.com')),
    );
    await expect(work).rejects.toThrow(RangeError);
    expect(named('work').attributes).toEqual({ 'error.type': 'RangeError' });
    expect(named('work').status.message).toBeUndefined();
    expect(named('work').events).toEqual([]);
  });

  it('below a port is of the call that runs, also of two calls at once; without a call there is none', async () => {
    const calls = ['first', 'second'].map((name) => startSpan({ name, kind: 'server', parent: undefined })!);
    const script = (name: string) => inCallSpan(name, { 'db.system.name': 'redis' }, () => new Promise((done) => setImmediate(done)));
    await Promise.all(calls.map((span, index) => runWithin(span, () => script(`script of ${index}`))));
    await script('script of nobody');
    calls.forEach((span) => span.end());
    expect(named('script of 0').parentSpanContext!.spanId).toBe(named('first').spanContext().spanId);
    expect(named('script of 1').parentSpanContext!.spanId).toBe(named('second').spanContext().spanId);
    expect(named('script of nobody')).toBeUndefined();
  });
});

describe('the event log', () => {
  it('carries publish, process, and what the handler publishes, as one trace', async () => {
    const log = eventLog();
    await log.ensureTopics([topic, topics.identityEvents]);
    const done = Promise.withResolvers<void>();
    await log.subscribe({
      group: 'g',
      topics: [topics.identityEvents],
      from: 'earliest',
      handler: async ({ records }) => {
        await log.publish(topic, [{ key: 'u_1', value: null, headers: traceHeaders(traceOfRecord(records[0]!)) }]);
        done.resolve();
      },
    });
    const trace = startTrace(randomBytes);
    await log.publish(topics.identityEvents, [recordOf(trace)]);
    await done.promise;
    await log.close();
    const [first, process, second] = ['publish identity.events', 'process identity.events', 'publish cart.events'].map(named);
    expect(first!.parentSpanContext!.spanId).toBe(trace.spanId);
    expect(process!.parentSpanContext!.spanId).toBe(first!.spanContext().spanId);
    expect(second!.parentSpanContext!.spanId).toBe(process!.spanContext().spanId);
    expect(new Set(spans().map((span) => span.spanContext().traceId))).toEqual(new Set([trace.traceId]));
    expect(JSON.stringify(spans().map(({ attributes }) => attributes))).not.toContain('g_1');
  });

  it('links a batch of several traces to each, samples it as they are, and leaves their records in their own', async () => {
    switchOn(0);
    const [one, two] = [startTrace(randomBytes), startTrace(randomBytes)];
    const seen = await inBatchSpan('process', batchOf(recordOf(one), recordOf(two), recordOf(one)), {}, (batch) => Promise.resolve(batch));
    const { links, parentSpanContext } = named('process');
    expect(parentSpanContext).toBeUndefined();
    expect(links.map(({ context }) => context.spanId)).toEqual([one.spanId, two.spanId]);
    expect(seen.records.map((record) => traceOfRecord(record).traceparent)).toEqual([one, two, one].map(({ traceparent }) => traceparent));
    expect(seen.trace!.spanId).toBe(named('process').spanContext().spanId);
  });

  it('makes no span for what nobody asked for', async () => {
    const log = eventLog();
    await log.ensureTopics([topic]);
    await log.publish(topic, [{ key: 'heartbeat', value: null }]);
    await inBatchSpan('process', batchOf({ key: 'heartbeat', value: null }), {}, () => Promise.resolve());
    await log.close();
    expect(spans()).toEqual([]);
  });
});
