/**
 * Writes the two long lists of a cart, its live dots and its deaths, straight into bytes. They are nearly all of a cart, and a cart is
 * written once a batch. The bytes are those that the general writer makes (codec.cart.write.test.ts); the numbers of the fields come from the .proto.
 */
import { create, toBinary, type DescField } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { CartSnapshotSchema, DeadOfCartSchema, DotKind, DotSchema, LineRefSchema, LiveDotSchema, uuidInto } from '@cloakroom/contracts';
import { originIn, type CartState, type CommandId, type Live } from './cart.state.ts';
import { joinIds, toLineRef } from './codec.dots.ts';
import type { LineId } from './lines.ts';

const tagOf = ({ number }: DescField, type: WireType): number => ((number << 3) | type) >>> 0;
const { Varint: varint, LengthDelimited: message } = WireType;
const [snapshot, live, dot, deadOf] = [CartSnapshotSchema.field, LiveDotSchema.field, DotSchema.field, DeadOfCartSchema.field];
const tags = {
  dots: tagOf(snapshot.dots, message),
  deadOf: tagOf(snapshot.deadOf, message),
  dot: tagOf(live.dot, message),
  line: tagOf(live.line, message),
  quantity: tagOf(live.quantity, varint),
  kind: tagOf(live.kind, varint),
  origin: tagOf(dot.cartId, message),
  id: tagOf(dot.commandId, message),
  deadIn: tagOf(deadOf.cartId, message),
  deadIds: tagOf(deadOf.commandIds, message),
  killedAtMs: tagOf(deadOf.killedAtMs, message),
};
const uuidBytes = 16;

/** @param marked whether an empty live dot comes first, so that older builds wait */
export function writeLiveDots(state: CartState, marked: boolean): Uint8Array {
  const writer = new BinaryWriter();
  if (marked) writer.uint32(tags.dots).uint32(0);
  const id = new Uint8Array(uuidBytes);
  for (const [commandId, one] of state.dots) {
    uuidInto(id, 0, commandId);
    writer.uint32(tags.dots).fork();
    writer.uint32(tags.dot).fork();
    writeText(writer, tags.origin, originIn(state, commandId));
    writer.uint32(tags.id).bytes(id).join();
    writeLive(writer, one);
    writer.join();
  }
  return writer.finish();
}

function writeLive(writer: BinaryWriter, { line, quantity, kind }: Live): void {
  writer.uint32(tags.line).bytes(bytesOfLine(line));
  // The default value of a field is not written.
  if (quantity !== 0) writer.uint32(tags.quantity).uint32(quantity);
  writer.uint32(tags.kind).uint32(kind === 'add' ? DotKind.ADD : DotKind.SET);
}

function writeText(writer: BinaryWriter, tag: number, text: string): void {
  if (text !== '') writer.uint32(tag).string(text);
}

/** Groups deaths by cart: a message for each dot would cost ten times as much, in time and in bytes. */
export function writeDeaths(state: CartState): Uint8Array {
  const writer = new BinaryWriter();
  for (const [cartId, { ids, times }] of deathsByOrigin(state)) {
    writer.uint32(tags.deadOf).fork();
    writeText(writer, tags.deadIn, cartId);
    writer.uint32(tags.deadIds).bytes(joinIds(ids));
    writer.uint32(tags.killedAtMs).bytes(packedTimes(times));
    writer.join();
  }
  return writer.finish();
}

interface Deaths {
  readonly ids: CommandId[];
  readonly times: number[];
}

function deathsByOrigin(state: CartState): Map<string, Deaths> {
  const groups = new Map<string, Deaths>();
  let [origin, its]: [string, Deaths | undefined] = ['', undefined];
  for (const [id, killedAtMs] of state.dead) {
    const madeIn = originIn(state, id);
    // Most deaths follow one of the same origin.
    if (its === undefined || madeIn !== origin) {
      its = groups.get(madeIn) ?? { ids: [], times: [] };
      groups.set(madeIn, its);
      origin = madeIn;
    }
    its.ids.push(id);
    its.times.push(killedAtMs);
  }
  return groups;
}

/** A varint of 64 bits. */
const timeBytesMax = 10;

/** Packed int64. Times that a double holds exactly need no bigint. */
function packedTimes(times: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(times.length * timeBytesMax);
  let at = 0;
  for (const time of times) {
    if (!Number.isSafeInteger(time) || time < 0) {
      const one = new BinaryWriter().int64(BigInt(time)).finish();
      bytes.set(one, at);
      at += one.length;
      continue;
    }
    at = packNumber(bytes, at, time);
  }
  return bytes.subarray(0, at);
}

/** Digits of 7 bits. Four of them, and then the rest, are whole numbers of 32 bits, which are fast to take apart. */
const fourDigits = 2 ** 28;

/** @returns where the next number goes */
function packNumber(bytes: Uint8Array, from: number, number: number): number {
  let at = from;
  const high = Math.floor(number / fourDigits);
  let low = number - high * fourDigits;
  if (high > 0) {
    for (let digit = 0; digit < 4; digit++, low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
    low = high;
  }
  for (; low > 0x7f; low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
  bytes[at++] = low;
  return at;
}

/** A shop has a few thousand products with their options. About 2 MB. */
const knownLinesMax = 5_000;
const knownLines = new Map<LineId, Uint8Array>();

/** The bytes of a LineRef. A line's id is its whole meaning, so an entry is never stale. */
function bytesOfLine(line: LineId): Uint8Array {
  const known = knownLines.get(line);
  if (known !== undefined) return known;
  const bytes = toBinary(LineRefSchema, create(LineRefSchema, toLineRef(line)));
  if (knownLines.size === knownLinesMax) knownLines.clear();
  knownLines.set(line, bytes);
  return bytes;
}
