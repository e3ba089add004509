/**
 * `seen` is opaque to a shop's clients, but the checker looks inside. It then knows exactly which dots a removal could have
 * observed, and which dots a cart is made of. Without this it would have to guess from times. A history gives each command a
 * short name: `d2.14`, the 14th of device d2.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { formatUuid, SeenDotsSchema, uuidToBytes } from '@cloakroom/contracts';

/** The command ids, or undefined for a `seen` of a kind that we do not know. */
export function commandsSeen(seen: string): string[] | undefined {
  if (seen === '') return [];
  try {
    const { carts } = fromBinary(SeenDotsSchema, Buffer.from(seen, 'base64url'), { readUnknownFields: false });
    return carts.flatMap(({ commandIds }) => {
      if (commandIds.length === 0 || commandIds.length % 16 !== 0) throw new RangeError('no ids');
      return Array.from({ length: commandIds.length / 16 }, (_, at) => formatUuid(commandIds.subarray(at * 16, at * 16 + 16)));
    });
  } catch {
    return undefined;
  }
}

/** Makes a `seen` for simulated shops. */
export function seenOf(cartId: string, commandIds: readonly string[]): string {
  if (commandIds.length === 0) return '';
  const message = create(SeenDotsSchema, { carts: [{ cartId, commandIds: Buffer.concat(commandIds.map((id) => uuidToBytes(id))) }] });
  return Buffer.from(toBinary(SeenDotsSchema, message)).toString('base64url');
}

export interface Names {
  /** Names a command that is about to be sent. */
  add(commandId: string, name: string): void;
  /** The short name of the command, or the full id when no client of this run made it. */
  of(commandId: string): string;
}

export function openNames(): Names {
  const names = new Map<string, string>();
  return { add: (commandId, name) => void names.set(commandId, name), of: (commandId) => names.get(commandId) ?? commandId };
}
