/** Records of the log with a change. Some are real ones from the broker, and some are made for a purpose. */
import { create, toBinary } from '@bufbuild/protobuf';
import { IdentityEventSchema, recordHeaders, topics } from '@cloakroom/contracts';
import type { OutgoingRecord } from '@cloakroom/event-log';
import fc from 'fast-check';
import { readAll, withBroker } from './broker.ts';
import { mutated, mutatedBytes } from './fuzz.inputs.ts';

/** A producer takes this many at once without pushing back. */
const batchSize = 200;

type TopicName = 'identityEvents' | 'sessionRevocations';

async function recordsLike(topic: TopicName, wanted: readonly Uint8Array[]): Promise<fc.Arbitrary<OutgoingRecord>> {
  const real = (await withBroker((broker) => readAll(broker, topics[topic]))).filter((record) => record.value !== null).slice(-50);
  const values = [...real.map((record) => record.value!), ...wanted];
  const signatures = real.map((record) => record.headers[recordHeaders.signature]?.toString('latin1') ?? '');
  const value = fc
    .constantFrom(...values)
    .chain((one) => fc.oneof({ weight: 6, arbitrary: mutatedBytes(one) }, { weight: 1, arbitrary: fc.constant(Buffer.from(one)) }));
  const signature = fc.constantFrom(...signatures).chain((one) => fc.oneof(mutated(one), fc.constant(one), fc.constant('')));
  return fc
    .record({ key: fc.uuid(), value: fc.option(value, { freq: 50 }), signature, unsigned: fc.boolean() })
    .map(({ key, value: bytes, signature: seal, unsigned }) => ({
      key,
      value: bytes,
      ...(!unsigned && { headers: { [recordHeaders.signature]: Buffer.from(seal, 'latin1') } }),
    }));
}

/** Identity events; some of them claim this cart. */
export function identityEventsOf(guestCartId: string): Promise<fc.Arbitrary<OutgoingRecord>> {
  const claim = create(IdentityEventSchema, {
    eventId: 'fuzz',
    atMs: 1n,
    event: { case: 'guestClaimed', value: { guestCartId, userId: 'u_00000000-0000-4000-8000-000000000000', loginId: 'fuzz' } },
  });
  return recordsLike('identityEvents', [toBinary(IdentityEventSchema, claim)]);
}

export const revocationsOf = (): Promise<fc.Arbitrary<OutgoingRecord>> => recordsLike('sessionRevocations', []);

export async function publishAll(topic: TopicName, records: readonly OutgoingRecord[]): Promise<void> {
  await withBroker(async (broker) => {
    await broker.ensureTopics([topics[topic]]);
    for (let at = 0; at < records.length; at += batchSize) await broker.publish(topics[topic], records.slice(at, at + batchSize));
  });
}
