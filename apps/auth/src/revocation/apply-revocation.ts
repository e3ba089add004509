import { tagOf, type SessionStore } from '@cloakroom/session';
import type { RevocationEvent } from '@cloakroom/contracts';

/** Tells the session store what was announced. Repeats and any order are harmless: tombstones only grow and epochs only rise. */
export async function applyRevocation(store: SessionStore, { event }: RevocationEvent, tag: string, nowMs: number): Promise<void> {
  if (event.case === 'sessionRevoked') {
    const { ended, handle, tokenHash, subject, forgetAfterMs } = event.value;
    const untilMs = Number(forgetAfterMs);
    // Every session that this could end has expired.
    if (untilMs <= nowMs) return;
    if (ended) await store.revoke({ tag, name: handle, subject, untilMs }, nowMs);
    else await store.buryToken({ tag, name: tokenHash, subject, untilMs }, nowMs);
  } else if (event.case === 'userEpochRaised') {
    const { subject, epoch } = event.value;
    await store.raiseEpoch(tagOf(subject), subject, Number(epoch), nowMs);
  }
}
