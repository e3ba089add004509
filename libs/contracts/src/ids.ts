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

/** Where each byte's two digits stand in a UUID, and the value of each digit's character. */
const digitsAt = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
const dash = '-'.charCodeAt(0);
const uuidLength = 36;
const notADigit = -1;
const valueOfCharacter = new Int8Array(256).fill(notADigit);
for (const digit of '0123456789abcdef') valueOfCharacter[digit.charCodeAt(0)] = Number.parseInt(digit, 16);

export function uuidToBytes(id: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  uuidInto(bytes, 0, id);
  return bytes;
}

const encoder = new TextEncoder();
/** The characters of the UUID that is being read. Reading them one by one from the text takes five times as long. */
const characters = new Uint8Array(uuidLength);

/** Writes the 16 bytes of a UUID at a place of its own. */
export function uuidInto(bytes: Uint8Array, at: number, id: string): void {
  let wrong = id.length === uuidLength && encoder.encodeInto(id, characters).written === uuidLength ? 0 : notADigit;
  if (characters[8] !== dash || characters[13] !== dash || characters[18] !== dash || characters[23] !== dash) wrong = notADigit;
  for (let i = 0; i < 16; i++) {
    const place = digitsAt[i]!;
    const high = valueOfCharacter[characters[place]!]!;
    const low = valueOfCharacter[characters[place + 1]!]!;
    wrong |= high | low;
    bytes[at + i] = (high << 4) | low;
  }
  if (wrong < 0) throw new RangeError(`not a lower-case UUID: ${id.slice(0, 40)}`);
}

const charactersOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const highOf = Uint8Array.from(charactersOfByte, (two) => two.charCodeAt(0));
const lowOf = Uint8Array.from(charactersOfByte, (two) => two.charCodeAt(1));

export function formatUuid(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`a UUID has 16 bytes, not ${bytes.length}`);
  return uuidAt(bytes, 0);
}

/** Reads the UUID whose 16 bytes begin there. Its characters are made in one step: text put together from parts is slow to compare. */
export function uuidAt(bytes: Uint8Array, at: number): string {
  if (at + 16 > bytes.length) throw new RangeError('a UUID has 16 bytes');
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  const [e, f, g, h] = [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!];
  const [i, j, k, l] = [bytes[at + 8]!, bytes[at + 9]!, bytes[at + 10]!, bytes[at + 11]!];
  const [m, n, o, p] = [bytes[at + 12]!, bytes[at + 13]!, bytes[at + 14]!, bytes[at + 15]!];
  // prettier-ignore
  return String.fromCharCode(
    highOf[a]!, lowOf[a]!, highOf[b]!, lowOf[b]!, highOf[c]!, lowOf[c]!, highOf[d]!, lowOf[d]!, dash,
    highOf[e]!, lowOf[e]!, highOf[f]!, lowOf[f]!, dash, highOf[g]!, lowOf[g]!, highOf[h]!, lowOf[h]!, dash,
    highOf[i]!, lowOf[i]!, highOf[j]!, lowOf[j]!, dash, highOf[k]!, lowOf[k]!, highOf[l]!, lowOf[l]!,
    highOf[m]!, lowOf[m]!, highOf[n]!, lowOf[n]!, highOf[o]!, lowOf[o]!, highOf[p]!, lowOf[p]!,
  );
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

/**
 * The region that decides whether an e-mail address is taken. It says nothing about where the account of the address lives.
 * @param email in its normal form
 * @param regions all of them, in any order
 */
export const deciderOf = (email: string, regions: readonly string[]): string =>
  regions.toSorted()[partitionOf(email, { partitions: regions.length })]!;
