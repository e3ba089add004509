/** An emergency must lose neither events that a retired key signed, nor the notice of the retirement, nor a logout that the store does not know. */
import { create, fromBinary } from '@bufbuild/protobuf';
import { IdentityEventSchema, LogoutRequestSchema, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { parseJwks, verifyEvent } from '@cloakroom/identity';
import { MemorySessionStore, parseToken } from '@cloakroom/session';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { expect, it } from 'vitest';
import { contextOf, guest, type Harness, ok, openHarness, outboxOf, signUp } from '../auth.harness.ts';
import { historyMs, pruneHistory } from '../database/identity-history.ts';
import { logout } from '../sessions/logout.ts';
import { beatOnce, publishRows } from '../operations/relay.ts';

const events = ({ eventLog }: Harness) => eventLog.of(topics.identityEvents).map(({ value }) => fromBinary(IdentityEventSchema, value!));
/** Judges as a consumer does that knows what auth publishes now. */
const judge = ({ auth, eventLog }: Harness, topic: typeof topics.identityEvents | typeof topics.sessionRevocations) => {
  const published = parseJwks(auth.keys.jwks());
  const keys = { find: (kid: string) => published.get(kid), refresh: () => Promise.resolve(), retire: () => undefined };
  return Promise.all(eventLog.of(topic).map(({ value, headers }) => verifyEvent({ topic: topic.name, value, headers: headers! }, keys)));
};

it('announces the claims of the last days again, in order and under the same ids, by a key that consumers trust', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, 'ada@example.com', (await guest(harness)).token));
  await publishRows(harness.relay, topics.identityEvents);
  const before = events(harness);
  expect(before.map(({ event }) => event.case)).toEqual(['accountRegistered', 'guestClaimed']);

  ok(await harness.auth.keys.rotate(true, undefined));
  await publishRows(harness.relay, topics.identityEvents);
  expect(events(harness)).toEqual([...before, ...before]);
  expect(await judge(harness, topics.identityEvents)).toEqual([false, false, true, true]);
});

it('repeats nothing in a planned rotation, nor what is older than the history', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, 'ada@example.com'));
  await publishRows(harness.relay, topics.identityEvents);
  ok(await harness.auth.keys.rotate(false, undefined));
  expect(await outboxOf(harness)).toEqual([]);
  harness.clock.advance(historyMs);
  ok(await harness.auth.keys.rotate(true, undefined));
  expect(await outboxOf(harness)).toEqual([]);
  expect(await pruneHistory(harness.auth.database, harness.clock.nowMs())).toBe(1);
});

it('signs the notice of a retirement, and the next heartbeat, by the new key though another replica rotated', async () => {
  const url = await freshDatabaseUrl('lasting');
  const [relaying, rotating] = [await openHarness({ url }), await openHarness({ url })];
  await beatOnce(relaying.relay);
  ok(await rotating.auth.keys.rotate(true, undefined));
  await publishRows(relaying.relay, topics.sessionRevocations);
  await beatOnce(relaying.relay);
  expect(await judge({ ...rotating, eventLog: relaying.eventLog }, topics.sessionRevocations)).toEqual([false, true, true]);
  await relaying.auth.database.destroy();
  await rotating.auth.database.destroy();
});

const heard = ({ eventLog }: Harness) =>
  eventLog.of(topics.sessionRevocations).flatMap(({ value }) => {
    const { event } = fromBinary(RevocationEventSchema, value!);
    return event.case === 'sessionRevoked' ? [event.value] : [];
  });
const signOut = ({ auth }: Harness, token: string) => logout(auth, contextOf(), create(LogoutRequestSchema, { token }));

it('tells every gateway of a logout whose session the store has lost, once', async () => {
  const url = await freshDatabaseUrl('lasting');
  const { token } = await guest(await openHarness({ url }));
  const harness = await openHarness({ url, store: new MemorySessionStore({ incarnation: 'empty' }) });
  for (let i = 0; i < 3; i += 1) await signOut(harness, token);
  await publishRows(harness.relay, topics.sessionRevocations);
  expect(heard(harness)).toMatchObject([
    { tokenHash: parseToken(token, harness.auth.macKeys)!.key.hash, handle: '', subject: '', ended: false },
  ]);
  await harness.auth.database.destroy();
});

it('keeps a session dead that the store finds again after its logout', async () => {
  const url = await freshDatabaseUrl('lasting');
  const store = new MemorySessionStore({ incarnation: 'first' });
  const first = await openHarness({ url, store });
  const { token } = await guest(first);
  const lost = await openHarness({ url, store: new MemorySessionStore({ incarnation: 'empty' }) });
  await signOut(lost, token);
  // The old store is back; auth replays into it what it knows.
  const again = await openHarness({ url, store });
  expect(await again.auth.store.resolve(parseToken(token, again.auth.macKeys)!.key, again.clock.nowMs(), undefined)).toBeUndefined();
  await lost.auth.database.destroy();
  await again.auth.database.destroy();
});

it('writes nothing down for a token that was never ours, or whose session has ended already', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  for (const each of [token, token, '', 'x', `${token.slice(0, -3)}AAA`]) await signOut(harness, each);
  const rows = await harness.auth.database.selectFrom('revocations').select('ended').execute();
  expect(rows).toEqual([{ ended: 1 }]);
});
