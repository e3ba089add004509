/**
 * Auth signs what it writes to the event log, and every reader verifies it. Otherwise anyone with access to the broker could forge a claim on a cart,
 * or a heartbeat that keeps revoked sessions alive. The signature is bound to the topic, so that a record cannot be replayed on another topic. The
 * signature does not make a record fresh. So readers must be idempotent, and the feed judges the time that the record itself states.
 *
 * Events are ES256 whatever passports are signed with. A topic keeps them for days, and builds of those days read them.
 */
import { observed, problem, recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import { headerOf, refusalOf, refusedBy } from '@cloakroom/mesh';
import { type Observed, observeRunning, observing } from '@cloakroom/platform';
import type { KeyRing } from './identity.ts';
import { type JwsVerdict, signJws, type SigningKey, verifyJws } from './jws.ts';

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
      algorithms: ['ES256'],
      find: (kid) => keys.find((wanted = kid)),
      header: { topic: record.topic },
      detachedPayload: value,
    });
  let verdict = verify();
  if (!verdict.ok && verdict.reason === 'unknown_key') {
    await keys.refresh(wanted);
    verdict = verify();
  }
  if (observing()) observeRunning(() => believing(verdict, jws.toString('latin1')));
  return verdict.ok;
}

/** A record is believed by auth's signature and by nothing else: neither the broker nor the sender of the record proves anything. */
function believing(verdict: JwsVerdict, jws: string): Observed {
  const refused = verdict.ok ? undefined : refusalOf(refusedBy(verdict.reason, problem('forbidden')));
  return {
    [observed.credential]: 'signature of auth on the event',
    [observed.credentialHeader]: headerOf(jws),
    [observed.refusal]: refused,
  };
}
