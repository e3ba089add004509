/** Ids and the rules that every process must agree on. */
import type { TopicSpec } from './topics.ts';

/** Subjects: a guest is `g_<uuid>`, a user `u_<uuid>`. A cart's id is its owner's subject. */
export type Subject = string;
export const isGuestSubject = (subject: Subject): boolean => subject.startsWith('g_');
export const isUserSubject = (subject: Subject): boolean => subject.startsWith('u_');

const uuidV7Pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Milliseconds since 1970 in a UUIDv7 (RFC 9562 5.7), or undefined for any other text. Upper case is
 * refused, so that one dot has one spelling.
 */
export function uuidV7Milliseconds(id: string): number | undefined {
  return uuidV7Pattern.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
}

/** @param random 10 bytes */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (random.length < 10) throw new RangeError('uuidV7 needs 10 random bytes');
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(nowMs) << 16n);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}

export function uuidToBytes(id: string): Uint8Array<ArrayBuffer> {
  const hex = id.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(hex)) throw new RangeError(`not a lower-case UUID: ${id.slice(0, 40)}`);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 16; at += 4) view.setUint32(at, Number.parseInt(hex.slice(2 * at, 2 * at + 8), 16));
  return bytes;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function formatUuid(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`a UUID has 16 bytes, not ${bytes.length}`);
  let hex = '';
  for (const byte of bytes) hex += hexOfByte[byte]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * murmur2 over the UTF-8 bytes of the key, as Kafka's DefaultPartitioner computes it (Java compatible). Every producer and reader must
 * agree: the one owner of a cart is found by its partition.
 */
export function partitionOf(key: string, topic: Pick<TopicSpec, 'partitions'>): number {
  return (murmur2(new TextEncoder().encode(key)) & 0x7fffffff) % topic.partitions;
}

function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(view.getInt32(i, true), m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const rest = data.length - whole;
  if (rest === 3) h ^= (data[whole + 2]! & 0xff) << 16;
  if (rest >= 2) h ^= (data[whole + 1]! & 0xff) << 8;
  if (rest >= 1) h = Math.imul(h ^ (data[whole]! & 0xff), m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}
