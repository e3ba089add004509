import { generateKeyPairSync } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { RevocationEventSchema, topics } from '@cloakroom/contracts';
import { expect, it, vi } from 'vitest';
import { createLogger, systemClock } from '@cloakroom/platform';
import { openEventLog } from '@cloakroom/event-log';
import { signEvent } from './events-signature.ts';
import type { KeyRing } from './identity.ts';
import { openLateFeed } from './late-feed.ts';

it('trusts nothing while the log is away at the start, and passes on what it hears once it is there', async () => {
  const log = createLogger('test', 'silent');
  const eventLog = await openEventLog({ kind: 'embedded', log, clock: systemClock });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys: KeyRing = { find: () => publicKey, refresh: () => Promise.resolve(), retire: () => undefined };
  // The relay's clock equals the clock here, from its start on.
  const startedMs = performance.now();
  const askRelay = () => Promise.resolve({ boot: 'b', beatMs: Math.ceil(performance.now() - startedMs) });
  let away = true;
  const ensureTopics = eventLog.ensureTopics.bind(eventLog);
  vi.spyOn(eventLog, 'ensureTopics').mockImplementation((specs) => (away ? Promise.reject(new Error('no broker')) : ensureTopics(specs)));

  const feed = openLateFeed({ eventLog, keys, askRelay, clock: systemClock, log, group: 'late' });
  const heard: string[] = [];
  feed.onRevocation(({ kind }) => heard.push(kind));
  expect([feed.leaseValid(), feed.leaseAgeMs(), feed.isTokenRevoked('t')]).toEqual([false, Number.POSITIVE_INFINITY, false]);

  away = false;
  await feed.ready;
  const say = (event: object) => {
    const value = Buffer.from(toBinary(RevocationEventSchema, create(RevocationEventSchema, { event: event as never })));
    const jws = signEvent(topics.sessionRevocations, value, { kid: 'k', privateKey });
    return eventLog.publish(topics.sessionRevocations, [{ key: 'x', value, headers: { jws } }]);
  };
  await say({
    case: 'sessionRevoked',
    value: { tokenHash: 't', handle: 'h', subject: 'u_x', ended: true, revokedAtMs: 1n, forgetAfterMs: 2n },
  });
  await say({ case: 'heartbeat', value: { boot: 'b', beatMs: BigInt(Math.floor(performance.now() - startedMs)), globalEpoch: 0n } });
  await vi.waitFor(() => expect(feed.leaseValid()).toBe(true), { timeout: 5_000 });
  expect([heard, feed.isTokenRevoked('t')]).toEqual([['token'], true]);
  await feed.stop();
  expect(feed.leaseValid()).toBe(false);
  await eventLog.close();
});
