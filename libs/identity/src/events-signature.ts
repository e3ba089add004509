/**
 * Auth signs what it writes to the event log, and every reader verifies it. Otherwise anyone with access to the broker could forge a claim on a cart,
 * or a heartbeat that keeps revoked sessions alive. The signature is bound to the topic, so that a record cannot be replayed on another topic. The
 * signature does not make a record fresh. So readers must be idempotent, and the feed judges the time that the record itself states.
 */
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import type { KeyRing } from './identity.ts';
import { signJws, type SigningKey, verifyJws } from './jws.ts';

export const eventJwsType = 'event+jws';

/** The value of the record header `jws`: a detached JWS (RFC 7515 appendix F) over the value's bytes. */
export function signEvent(topic: TopicSpec, value: Uint8Array, key: SigningKey): Buffer {
  return Buffer.from(signJws(key, eventJwsType, value, { detached: true, header: { topic: topic.name } }));
}

/**
 * Whether a live key of auth signed this value for this topic.
 * @throws Error when the key is not known and auth cannot be asked: no verdict, so the reader must try again, not drop the record
 */
export async function verifyEvent(record: Pick<LogRecord, 'topic' | 'value' | 'headers'>, keys: KeyRing): Promise<boolean> {
  const jws = record.headers[recordHeaders.signature];
  const { value } = record;
  if (jws === undefined || value === null) return false;
  let wanted: string | undefined;
  const verify = () =>
    verifyJws(jws.toString('latin1'), {
      typ: eventJwsType,
      find: (kid) => keys.find((wanted = kid)),
      header: { topic: record.topic },
      detachedPayload: value,
    });
  const verdict = verify();
  if (verdict.ok || verdict.reason !== 'unknown_key') return verdict.ok;
  await keys.refresh(wanted);
  return verify().ok;
}
