/** Both adapters prepare a record with these functions before they keep it. */
import type { NewSession, SessionRecord } from './session.store.ts';

/** Keeps a record small. The hash layout needs it too: one longer field doubles its memory (hash-max-listpack-value). */
export const fieldBytesMax = 64;

/**
 * A session as it may be stored: the device label is cut, everything else must fit.
 * @throws RangeError for a field that is too long, or a session that would be born expired or without end
 */
export function storable(session: NewSession, nowMs: number): NewSession {
  const prepared = { ...session, device: deviceLabel(session.device) };
  for (const [field, value] of Object.entries(prepared)) {
    if (typeof value === 'string' && Buffer.byteLength(value) > fieldBytesMax)
      throw new RangeError(`session.${field} has more than ${fieldBytesMax} bytes`);
    // Redis keeps a record as lines of text.
    if (typeof value === 'string' && /\p{Cc}/u.test(value)) throw new RangeError(`session.${field} has a control character`);
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`session.${field} is not a whole number`);
  }
  const idleExpiresAtMs = Math.min(prepared.idleExpiresAtMs, prepared.expiresAtMs);
  if (!(idleExpiresAtMs > nowMs)) throw new RangeError('a session must not be born expired');
  return { ...prepared, idleExpiresAtMs };
}

/**
 * A device label for the list of signed-in devices, from a User-Agent or the person's own text. It has at most 64 bytes of UTF-8, cut at the boundary
 * of a character. It has no control characters, since people see it and operators print it, and no halves of surrogate pairs.
 */
export function deviceLabel(text: string): string {
  // A User-Agent can have kilobytes. The part that cannot survive the cut is dropped before the scan.
  const visible = text
    .slice(0, 4 * fieldBytesMax)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim();
  const bytes = Buffer.from(visible);
  if (bytes.length <= fieldBytesMax) return visible;
  let end = fieldBytesMax;
  // 10xxxxxx continues a character (RFC 3629 3): go back to where one begins.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end).trimEnd();
}

/** Newest activity first. Equal times have a fixed order, so that both adapters list alike. */
export function byActivity(a: SessionRecord, b: SessionRecord): number {
  return b.lastSeenAtMs - a.lastSeenAtMs || b.createdAtMs - a.createdAtMs || (a.handle < b.handle ? -1 : 1);
}
