/**
 * A UUIDv7 (RFC 9562 5.7): 48 bits of Unix milliseconds, then random. It names a command, however often the page sends it.
 * @param random 10 bytes
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (random.length !== 10) throw new RangeError('uuidV7 needs 10 random bytes');
  const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const tail = Uint8Array.from(random);
  tail[0] = ((tail[0] ?? 0) & 0x0f) | 0x70;
  tail[2] = ((tail[2] ?? 0) & 0x3f) | 0x80;
  const text = nowMs.toString(16).padStart(12, '0') + hex(tail);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}
