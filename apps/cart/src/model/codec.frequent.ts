/**
 * Reads the three frequent events straight from their bytes. A replay reads little else. This reader knows one shape only: the shape in which
 * encodeEvent writes them, for this cart, in ASCII. The numbers of the fields come from the .proto.
 *
 * Anything else is left to the general reader: fields that are unknown, absent, repeated or out of order, other text, cut or hostile bytes.
 * So this file decides nothing about such bytes, and codec.frequent.test.ts compares the two readers.
 */
import { fromBinary, type DescField } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import {
  CartEventSchema,
  DotSchema,
  ItemAddedSchema,
  ItemRemovedSchema,
  LineRefSchema,
  QuantitySetSchema,
  uuidAt,
} from '@cloakroom/contracts';
import { dotOf, type CartEvent, type Dot } from './cart.ts';
import { fromLineRef } from './codec.dots.ts';
import type { LineId } from './lines.ts';

type FrequentEvent = Extract<CartEvent, { type: 'ItemAdded' | 'QuantitySet' | 'ItemRemoved' }>;

const uuidBytes = 16;
/** Text below this is ASCII: each byte is one character. */
const asciiEnd = 0x80;

/** The byte before a field. */
function tagOf({ number }: DescField, type: WireType): number {
  const tag = (number << 3) | type;
  if (tag >= asciiEnd) throw new RangeError('a tag of more than one byte');
  return tag;
}
const [event, dotFields] = [CartEventSchema.field, DotSchema.field];
const { Varint: varint, LengthDelimited: message } = WireType;
const tags = {
  cartId: tagOf(event.cartId, message),
  atMs: tagOf(event.atMs, varint),
  itemAdded: tagOf(event.itemAdded, message),
  quantitySet: tagOf(event.quantitySet, message),
  itemRemoved: tagOf(event.itemRemoved, message),
  originOfDot: tagOf(dotFields.cartId, message),
  idOfDot: tagOf(dotFields.commandId, message),
};
const tagsOf = ({ dot, line }: Record<'dot' | 'line', DescField>) => ({ dot: tagOf(dot, message), line: tagOf(line, message) });
const added = { ...tagsOf(ItemAddedSchema.field), quantity: tagOf(ItemAddedSchema.field.quantity, varint) };
const set = {
  ...tagsOf(QuantitySetSchema.field),
  quantity: tagOf(QuantitySetSchema.field.quantity, varint),
  observed: tagOf(QuantitySetSchema.field.observed, message),
};
const removed = { ...tagsOf(ItemRemovedSchema.field), observed: tagOf(ItemRemovedSchema.field.observed, message) };

/** @returns undefined when the general reader must decide */
export function readFrequentEvent(bytes: Buffer, cartId: string): FrequentEvent | undefined {
  const reader = new FrequentReader(bytes, cartId);
  if (!reader.takesCart() || !reader.takes(tags.atMs)) return undefined;
  const atMs = reader.number();
  const kind = reader.byte();
  if (atMs === unread || reader.length() !== reader.left()) return undefined;
  if (kind === tags.itemAdded) return readAdded(reader, cartId, atMs);
  if (kind === tags.quantitySet) return readSet(reader, cartId, atMs);
  return kind === tags.itemRemoved ? readRemoved(reader, cartId, atMs) : undefined;
}

function readAdded(reader: FrequentReader, cartId: string, atMs: number): FrequentEvent | undefined {
  const dot = reader.dot(added.dot);
  const line = reader.line(added.line);
  const quantity = reader.takes(added.quantity) ? reader.number() : unread;
  if (dot === undefined || line === undefined || !isUint32(quantity) || reader.left() !== 0) return undefined;
  return { cartId, atMs, type: 'ItemAdded', dot, line, quantity };
}

function readSet(reader: FrequentReader, cartId: string, atMs: number): FrequentEvent | undefined {
  const dot = reader.dot(set.dot);
  const line = reader.line(set.line);
  const quantity = reader.takes(set.quantity) ? reader.number() : unread;
  if (dot === undefined || line === undefined || !isUint32(quantity)) return undefined;
  const observed = reader.dots(set.observed);
  return observed && { cartId, atMs, type: 'QuantitySet', dot, line, quantity, observed };
}

function readRemoved(reader: FrequentReader, cartId: string, atMs: number): FrequentEvent | undefined {
  const dot = reader.dot(removed.dot);
  const line = reader.line(removed.line);
  if (dot === undefined || line === undefined) return undefined;
  const observed = reader.dots(removed.observed);
  return observed && { cartId, atMs, type: 'ItemRemoved', dot, line, observed };
}

const unread = -1;
const isUint32 = (number: number): boolean => number >= 0 && number <= 0xff_ff_ff_ff;
/** A time of today takes 6 bytes. A double holds 7 bytes of 7 bits exactly. */
const numberBytesMax = 7;

/** Each method answers `unread` or undefined for what it does not know. After that nothing else may be read. */
class FrequentReader {
  readonly #bytes: Buffer;
  readonly #cartId: string;
  #at = 0;
  /** Where the id of the event's cart stands. */
  #ownAt = 0;

  constructor(bytes: Buffer, cartId: string) {
    this.#bytes = bytes;
    this.#cartId = cartId;
  }

  left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#at < this.#bytes.length ? this.#bytes[this.#at++]! : unread;
  }

  takes(tag: number): boolean {
    if (this.#bytes[this.#at] !== tag) return false;
    this.#at++;
    return true;
  }

  /** The length of what follows; `unread` when the bytes end before. */
  length(): number {
    const length = this.number();
    return length <= this.left() ? length : unread;
  }

  number(): number {
    let value = 0;
    let weight = 1;
    for (let count = 0; count < numberBytesMax; count++) {
      const byte = this.byte();
      if (byte === unread) return unread;
      if (byte < asciiEnd) return value + byte * weight;
      value += (byte - asciiEnd) * weight;
      weight *= asciiEnd;
    }
    return unread;
  }

  /** Whether the event begins with this cart. */
  takesCart(): boolean {
    if (!this.takes(tags.cartId)) return false;
    const length = this.length();
    this.#ownAt = this.#at;
    return this.takesText(this.#cartId, length);
  }

  /** Whether this ASCII text comes next, in so many bytes. Only then it is passed. */
  takesText(text: string, length: number): boolean {
    if (length !== text.length || length === 0) return false;
    let all = 0;
    for (let i = 0; i < length; i++) {
      const byte = this.#bytes[this.#at + i]!;
      if (byte !== text.charCodeAt(i)) return false;
      all |= byte;
    }
    if (all >= asciiEnd) return false;
    this.#at += length;
    return true;
  }

  /** A dot with its tag. */
  dot(tag: number): Dot | undefined {
    if (!this.takes(tag)) return undefined;
    const end = this.length() + this.#at;
    const origin = this.takes(tags.originOfDot) ? this.#origin() : undefined;
    if (origin === undefined || !this.takes(tags.idOfDot) || this.length() !== uuidBytes || this.#at + uuidBytes !== end) return undefined;
    this.#at = end;
    return dotOf(origin, uuidAt(this.#bytes, end - uuidBytes));
  }

  /** Dots with this tag, up to the end of the bytes. */
  dots(tag: number): Dot[] | undefined {
    const all: Dot[] = [];
    while (this.left() > 0) {
      const dot = this.dot(tag);
      if (dot === undefined) return undefined;
      all.push(dot);
    }
    return all;
  }

  /** Most dots were made in the cart that the event belongs to. Its bytes begin the event, so bytes are compared with bytes. */
  #origin(): string | undefined {
    const length = this.length();
    if (length === this.#cartId.length && this.#isRepeated(length)) return this.#cartId;
    if (length <= 0) return undefined;
    const origin = this.#bytes.toString('latin1', this.#at, this.#at + length);
    return this.takesText(origin, length) ? origin : undefined;
  }

  /** Whether the cart's own id comes next. Only then it is passed. */
  #isRepeated(length: number): boolean {
    const bytes = this.#bytes;
    const [own, at] = [this.#ownAt, this.#at];
    for (let i = 0; i < length; i++) if (bytes[at + i] !== bytes[own + i]) return false;
    this.#at += length;
    return true;
  }

  /** A line with its tag. */
  line(tag: number): LineId | undefined {
    const length = this.takes(tag) ? this.length() : unread;
    if (length <= 0) return undefined;
    this.#at += length;
    return lineOfBytes(this.#bytes, this.#at - length, this.#at);
  }
}

/** A shop has a few thousand products with their options. About 2 MB. */
const knownLinesMax = 5_000;
const knownLineBytesMax = 256;
/** By the bytes of a LineRef. They are its whole meaning, so an entry is never stale. */
const knownLines = new Map<string, LineId>();

/** The general reader reads a line that is seen for the first time. */
function lineOfBytes(bytes: Buffer, from: number, to: number): LineId | undefined {
  if (to - from > knownLineBytesMax) return undefined;
  const spelt = bytes.toString('latin1', from, to);
  const known = knownLines.get(spelt);
  if (known !== undefined) return known;
  let line: LineId;
  try {
    line = fromLineRef(fromBinary(LineRefSchema, bytes.subarray(from, to)));
  } catch {
    return undefined;
  }
  if (knownLines.size === knownLinesMax) knownLines.clear();
  knownLines.set(spelt, line);
  return line;
}
