import { create, fromBinary } from '@bufbuild/protobuf';
import {
  IdentityEventSchema,
  LoginRequestSchema,
  LogoutRequestSchema,
  recordHeaders,
  RevocationEventSchema,
  topics,
  type TopicSpec,
} from '@cloakroom/contracts';
import { verifyEvent } from '@cloakroom/identity';
import { readinessAnswer } from '@cloakroom/platform';
import { watchCrowd } from '@cloakroom/testing';
import { expect, it, vi } from 'vitest';
import { contextOf, guest, type Harness, look, openHarness, outboxOf, signIn, signUp, ok, password } from '../auth.harness.ts';
import { login } from '../sign-in/login.ts';
import { logout } from '../sessions/logout.ts';
import { lookAtParts } from './readiness.ts';
import { applyRows, beatOnce, openRelay, publishRows } from './relay.ts';

const end = ({ auth }: Harness, token: string) => logout(auth, contextOf(), create(LogoutRequestSchema, { token }));
const revocations = ({ eventLog }: Harness) =>
  eventLog.of(topics.sessionRevocations).map(({ value }) => fromBinary(RevocationEventSchema, value!));
const ended = (harness: Harness) =>
  revocations(harness).flatMap(({ event }) => (event.case === 'sessionRevoked' ? [event.value.subject] : []));
const keysOf = ({ auth }: Harness) => ({ find: auth.keys.find, refresh: () => Promise.resolve(), retire: () => undefined });

it('publishes signed records in the order of the commits and empties the outbox', async () => {
  const harness = await openHarness();
  const guests = [await guest(harness), await guest(harness), await guest(harness)];
  for (const { token } of guests) await end(harness, token);
  expect(await publishRows(harness.relay, topics.sessionRevocations)).toBe(false);
  expect(ended(harness)).toEqual(guests.map(({ subject }) => subject));
  expect(revocations(harness).map(({ sequence }) => sequence)).toEqual([1n, 2n, 3n]);
  expect(await outboxOf(harness, topics.sessionRevocations)).toEqual([]);
  for (const record of harness.eventLog.of(topics.sessionRevocations)) {
    const heard = { topic: topics.sessionRevocations.name, value: record.value, headers: record.headers! };
    expect(await verifyEvent(heard, keysOf(harness))).toBe(true);
    expect(await verifyEvent({ ...heard, topic: topics.identityEvents.name }, keysOf(harness))).toBe(false);
  }
});

it('keeps every row, and their order, while the log is away; publishes the same event ids when it is back', async () => {
  const harness = await openHarness();
  const before = await guest(harness);
  ok(await signUp(harness, 'ada@example.com', before.token));
  const ids = (await outboxOf(harness)).map((row) => (JSON.parse(row.event) as { eventId: string }).eventId);
  harness.eventLog.fail = () => true;
  for (let i = 0; i < 5; i += 1) await expect(publishRows(harness.relay, topics.identityEvents)).rejects.toThrow('away');
  expect(await outboxOf(harness)).toHaveLength(2);
  harness.eventLog.fail = () => false;
  await publishRows(harness.relay, topics.identityEvents);
  const published = harness.eventLog.of(topics.identityEvents).map(({ value }) => fromBinary(IdentityEventSchema, value!));
  expect(published.map(({ eventId }) => eventId)).toEqual(ids);
  expect(published.map(({ event }) => event.case)).toEqual(['accountRegistered', 'guestClaimed']);
});

it('says nothing while a revocation waits, and beats again when it is out', async () => {
  const harness = await openHarness();
  expect(await beatOnce(harness.relay)).toBe(true);
  await end(harness, (await guest(harness)).token);
  expect(await beatOnce(harness.relay)).toBe(false);
  harness.eventLog.fail = () => true;
  await expect(publishRows(harness.relay, topics.sessionRevocations)).rejects.toThrow();
  expect(await beatOnce(harness.relay)).toBe(false);
  harness.eventLog.fail = () => false;
  await publishRows(harness.relay, topics.sessionRevocations);
  expect(await beatOnce(harness.relay)).toBe(true);
  expect(revocations(harness).map(({ event }) => event.case)).toEqual(['heartbeat', 'sessionRevoked', 'heartbeat']);
});

it('dates a heartbeat by when it looked into the outbox', async () => {
  const harness = await openHarness();
  const lookedMs = harness.clock.monotonicMs();
  harness.eventLog.fail = () => {
    harness.clock.advance(900);
    return false;
  };
  await beatOnce(harness.relay);
  expect(revocations(harness)[0]?.event).toMatchObject({ case: 'heartbeat', value: { boot: 'boot', beatMs: BigInt(lookedMs) } });
});

it('does not let an identity event that waits silence the heartbeat', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, 'ada@example.com'));
  expect(await beatOnce(harness.relay)).toBe(true);
});

it('tells the store what the use case could not, and the others meanwhile', async () => {
  const harness = await openHarness();
  const { token, subject } = await guest(harness);
  harness.broken.add('revoke');
  await expect(end(harness, token)).rejects.toThrow('away');
  await publishRows(harness.relay, topics.sessionRevocations);
  expect(ended(harness)).toEqual([subject]);
  expect(await beatOnce(harness.relay)).toBe(true);
  await applyRows(harness.relay);
  expect(await outboxOf(harness, topics.sessionRevocations)).toMatchObject([{ published: 1, applied: 0 }]);
  harness.broken.clear();
  await applyRows(harness.relay);
  expect(await outboxOf(harness, topics.sessionRevocations)).toEqual([]);
  expect((await look(harness, token)).session).toBeUndefined();
  // The row is not published a second time.
  await publishRows(harness.relay, topics.sessionRevocations);
  expect(ended(harness)).toEqual([subject]);
});

it('publishes soon after a commit, without a poll', async () => {
  const harness = await openHarness();
  const relay = openRelay(harness.relay);
  relay.start();
  await vi.waitFor(() => expect(revocations(harness)).not.toEqual([]));
  const { token, subject } = await guest(harness);
  const [crowd, committedMs] = [watchCrowd(), performance.now()];
  await end(harness, token);
  await vi.waitFor(() => expect(ended(harness)).toEqual([subject]), { interval: 2 });
  expect(performance.now() - committedMs).toBeLessThan(crowd.roomMs(250));
  await relay.stop();
});

it('publishes soon what was committed while the log answered', async () => {
  const harness = await openHarness();
  const first = await guest(harness);
  const second = await guest(harness);
  let committed: Promise<unknown> | undefined;
  harness.eventLog.fail = (topic, [record]) => {
    if (topic === topics.sessionRevocations && record?.key === first.subject) committed ??= end(harness, second.token);
    return false;
  };
  const publish = harness.eventLog.port.publish.bind(harness.eventLog.port);
  harness.eventLog.port.publish = async (...given) => {
    const positions = await publish(...given);
    await committed;
    return positions;
  };
  const relay = openRelay(harness.relay);
  relay.start();
  await vi.waitFor(() => expect(revocations(harness)).not.toEqual([]));
  const [crowd, startedMs] = [watchCrowd(), performance.now()];
  await end(harness, first.token);
  await vi.waitFor(() => expect(ended(harness)).toEqual([first.subject, second.subject]), { interval: 2 });
  expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(250));
  await relay.stop();
});

it('beats although there is always a row that waits: after the older ones, dated at its look', async () => {
  const harness = await openHarness();
  await end(harness, (await guest(harness)).token);
  const lookedMs = harness.clock.monotonicMs();
  const beat = beatOnce(harness.relay);
  await vi.waitFor(async () => {
    // One event is always being committed while another is on its way.
    await publishRows(harness.relay, topics.sessionRevocations);
    await end(harness, (await guest(harness)).token);
    expect(revocations(harness).map(({ event }) => event.case)).toContain('heartbeat');
  });
  expect(await beat).toBe(true);
  expect(revocations(harness)[0]?.event.case).toBe('sessionRevoked');
  expect(revocations(harness).find(({ event }) => event.case === 'heartbeat')?.event.value).toMatchObject({ beatMs: BigInt(lookedMs) });
});

it('loses nothing when the log is away for a while: retries until acknowledged', async () => {
  const harness = await openHarness();
  let refusals = 0;
  harness.eventLog.fail = () => (refusals += 1) < 8;
  const relay = openRelay(harness.relay);
  relay.start();
  ok(await signUp(harness, 'ada@example.com'));
  ok(await signIn(harness, 'ada@example.com', (await guest(harness)).token));
  await vi.waitFor(() => expect(harness.eventLog.of(topics.identityEvents)).toHaveLength(2), { timeout: 8_000 });
  await vi.waitFor(() => expect(ended(harness)).toHaveLength(1), { timeout: 8_000 });
  await relay.stop();
});

it('stops at once while the log is still looked for', async () => {
  const harness = await openHarness();
  harness.eventLog.port.ensureTopics = () => new Promise(() => undefined);
  const relay = openRelay(harness.relay);
  relay.start();
  await vi.waitFor(() => expect(revocations(harness)).not.toEqual([]));
  const [crowd, stoppedMs] = [watchCrowd(), performance.now()];
  await relay.stop();
  expect(performance.now() - stoppedMs).toBeLessThan(crowd.roomMs(1_000));
});

it('publishes a row as part of the trace of the request that wrote it, however much later', async () => {
  const harness = await openHarness();
  const before = await guest(harness);
  ok(await signUp(harness, 'ada@example.com'));
  const { trace } = contextOf();
  const ctx = { ...contextOf(), experiment: 'merge-b' };
  const request = create(LoginRequestSchema, { email: 'ada@example.com', password, currentToken: before.token });
  ok(await login(harness.auth, ctx, request));
  await publishRows(harness.relay, topics.identityEvents);
  await publishRows(harness.relay, topics.sessionRevocations);
  const headersOf = (topic: TopicSpec) =>
    harness.eventLog.of(topic).map(({ headers = {} }) => ({
      type: headers['event-type']?.toString(),
      traceparent: headers[recordHeaders.traceparent]?.toString(),
      experiment: headers[recordHeaders.experiment]?.toString(),
    }));
  const caused = { traceparent: trace.traceparent, experiment: 'merge-b' };
  expect(headersOf(topics.identityEvents)).toEqual([
    { type: 'accountRegistered', traceparent: trace.traceparent, experiment: undefined },
    { type: 'guestClaimed', ...caused },
  ]);
  expect(headersOf(topics.sessionRevocations)).toEqual([{ type: 'sessionRevoked', ...caused }]);
});

it('publishes without a trace what no request wrote', async () => {
  const harness = await openHarness();
  ok(await harness.auth.keys.rotate(true, undefined));
  await publishRows(harness.relay, topics.sessionRevocations);
  const [record] = harness.eventLog.of(topics.sessionRevocations);
  expect(Object.keys(record!.headers!)).toEqual(['event-type', 'event-version', 'jws']);
});

const config = { SESSION_STORE: 'memory', EVENT_LOG: 'embedded', PROVIDER: 'embedded' } as const;

it('tells at /readyz, within ten seconds, that it cannot publish, and that it can again; and stays ready', async () => {
  const harness = await openHarness();
  const relay = openRelay(harness.relay);
  const look = () => lookAtParts(harness.auth, { describe: () => Promise.resolve({ kind: 'embedded', clusterId: 'c' }) }, relay, config);
  relay.start();
  await vi.waitFor(() => expect(revocations(harness)).not.toEqual([]));
  harness.eventLog.fail = () => true;
  await end(harness, (await guest(harness)).token);
  expect(readinessAnswer(await look()).body.degraded).toEqual([]);
  harness.clock.advance(8_000);
  const { status, body } = readinessAnswer(await look());
  expect([status, body.degraded]).toEqual([
    200,
    [
      expect.stringMatching(/^outbox: what was committed 8 s ago is not published yet \(session.revocations\)/),
      expect.stringMatching(/^relay: no heartbeat could be published for 8 s/),
    ],
  ]);
  harness.eventLog.fail = () => false;
  await vi.waitFor(async () => expect(readinessAnswer(await look()).body.degraded).toEqual([]), { timeout: 5_000 });
  await relay.stop();
});

it('stays ready, and says what is away, without what all replicas share: gateways that start need its keys', async () => {
  const harness = await openHarness();
  const relay = openRelay(harness.relay);
  const hangs = { describe: () => new Promise<never>(() => undefined) };
  harness.broken.add('incarnation');
  const told = readinessAnswer(await lookAtParts(harness.auth, hangs, relay, config));
  expect([told.status, told.body.degraded]).toEqual([
    200,
    ['sessionStore: the session store does not answer', 'eventLog: the event log does not answer'],
  ]);
  expect(told.body.parts['sessionStore']).toMatchObject({ kind: 'memory' });
  const database = { selectFrom: () => ({ select: () => ({ limit: () => ({ execute: () => Promise.reject(new Error('away')) }) }) }) };
  const without = { ...harness.auth, database: database as unknown as typeof harness.auth.database };
  const { status, body } = readinessAnswer(await lookAtParts(without, hangs, relay, config));
  expect([status, body.degraded]).toEqual([200, expect.arrayContaining(['outbox: the database does not answer'])]);
});
