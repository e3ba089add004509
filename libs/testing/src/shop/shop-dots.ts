/**
 * `seen` is opaque to a shop's clients. The checker looks inside: it then knows exactly what a removal could have observed, and what a cart
 * says that it is made of, instead of having to guess from times. A history calls each command by a short name: `d2.14`, the 14th of device d2.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { formatUuid, SeenDotsSchema, uuidToBytes } from '@cloakroom/contracts';

/** The command ids; undefined when this is not a `seen` of the kind that we know. */
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

/** For shops that are simulated. */
export function seenOf(cartId: string, commandIds: readonly string[]): string {
  if (commandIds.length === 0) return '';
  const message = create(SeenDotsSchema, { carts: [{ cartId, commandIds: Buffer.concat(commandIds.map((id) => uuidToBytes(id))) }] });
  return Buffer.from(toBinary(SeenDotsSchema, message)).toString('base64url');
}

export interface Names {
  /** Names a command that is about to be sent. */
  add(commandId: string, name: string): void;
  /** The full id for one that no client of this run made. */
  of(commandId: string): string;
}

export function openNames(): Names {
  const names = new Map<string, string>();
  return { add: (commandId, name) => void names.set(commandId, name), of: (commandId) => names.get(commandId) ?? commandId };
}
