/** A reader of auth's events tells the Observatory by which signature it believed them, and whom a revocation is about. */
import { randomBytes } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { checkWords, observed, problem, recordHeaders, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { EmbeddedEventLog, type LogRecord, traceHeaders } from '@cloakroom/event-log';
import { installTracer, runWithin, startTrace, systemClock } from '@cloakroom/platform';
import { watchSpans } from '@cloakroom/testing';
import { expect, it, vi } from 'vitest';
import { signEvent } from './events-signature.ts';
import { openLateFeed } from './late-feed.ts';
import { observeRevocation } from './observed-revocations.ts';
import { newSigner, silent } from './mesh/mesh.fixture.ts';

function revocationOf(handle: string, ended = true): Uint8Array {
  const session = { tokenHash: 'hash-of-the-token', handle, subject: 'u_1', ended };
  return toBinary(
    RevocationEventSchema,
    create(RevocationEventSchema, { atMs: BigInt(Date.now()), event: { case: 'sessionRevoked', value: session } }),
  );
}

it('a batch names every session that it ended, each with the trace of its request, and none whose token was only replaced', () => {
  const traces = Array.from({ length: 3 }, () => startTrace(randomBytes));
  const set: object[] = [];
  const span = { trace: traces[0]!, set: (attributes: object) => void set.push(attributes), end: () => undefined };
  const ended: string[] = [];
  installTracer({ observed: true, start: () => span } as unknown as Parameters<typeof installTracer>[0]);
  try {
    runWithin(span, () => {
      for (const [index, handle] of ['phone', 'laptop', 'rotated'].entries()) {
        const record = { headers: traceHeaders({ traceparent: traces[index]!.traceparent, experiment: null }) } as unknown as LogRecord;
        observeRevocation(fromBinary(RevocationEventSchema, revocationOf(handle, handle !== 'rotated')), record, ended);
      }
    });
  } finally {
    installTracer(undefined);
  }
  expect(set.at(-1)).toMatchObject({
    [observed.session]: 'rotated',
    [observed.sessionsEnded]: `phone ${traces[0]!.traceId}, laptop ${traces[1]!.traceId}`,
  });
});

it('a revocation names the session, the signature by the id of its key, and a forged one the check that found it', async () => {
  const signer = newSigner();
  const forger = newSigner('k1');
  const topic = topics.sessionRevocations;
  const eventLog = new EmbeddedEventLog({ log: silent, clock: systemClock });
  const feed = openLateFeed({
    eventLog,
    keys: signer.ring,
    askRelay: () => Promise.resolve(problem('unavailable')),
    clock: systemClock,
    log: silent,
    group: 'g-feed',
  });
  await feed.ready;
  const watch = await watchSpans();
  const value = revocationOf('handle-1');
  try {
    for (const key of [signer, forger]) {
      const headers = {
        ...traceHeaders({ traceparent: startTrace(randomBytes).traceparent, experiment: null }),
        [recordHeaders.signature]: signEvent(topic, Buffer.from(value), key),
      };
      await eventLog.publish(topic, [{ key: 'u_1', value: Buffer.from(value), headers }]);
    }
    const processed = () => watch.spans.filter(({ name }) => name === `process ${topic.name}`).map(({ attributes }) => attributes);
    await vi.waitFor(() => expect(processed()).toHaveLength(2), { timeout: 5_000 });
    const [believed, refused] = processed();
    expect(believed).toMatchObject({
      [observed.credential]: 'signature of auth on the event',
      [observed.credentialHeader]: JSON.stringify({ alg: 'ES256', typ: 'event+jws', kid: 'k1' }),
      [observed.session]: 'handle-1',
      [observed.subject]: 'u_1',
    });
    expect(believed).not.toHaveProperty([observed.refusal]);
    expect(refused![observed.refusal]).toContain(checkWords['bad_signature']);
    expect(refused).not.toHaveProperty([observed.session]);
    expect(JSON.stringify(watch.spans), 'neither the token nor its hash').not.toContain('hash-of-the-token');
  } finally {
    watch.stop();
    await feed.stop();
    await eventLog.close();
  }
});
