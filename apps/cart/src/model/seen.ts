/**
 * The opaque `seen`: the dots that a client had seen, as base64url of SeenDots. It is unsigned, because it can only kill dots of the
 * person's own cart, in the line that the command names. So this file bounds it and checks its shape, and not whether it is true.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  formatUuid,
  problem,
  type Problem,
  SeenDotsSchema,
  seenLengthMax,
  subjectPattern,
  uuidToBytes,
  uuidV7Milliseconds,
} from '@cloakroom/contracts';
import { cartOfDot, commandOfDot, dotOf, type Dot } from './cart.ts';
import { couponDotCountMax, liveDotCountMax } from './limits.ts';

/** As many as a cart may hold live dots. */
export const seenDotCountMax = liveDotCountMax + couponDotCountMax;
/** A user's own cart and the guest carts that joined it: a sign-in a day for months. */
export const seenCartCountMax = 100;

/**
 * '' for no dots. The newest are kept where there are too many (a UUIDv7 sorts by time). A dot that was left out shows again, and can be removed then.
 */
export function encodeSeen(dots: Iterable<Dot>): string {
  const newest = [...new Set(dots)].sort((a, b) => (commandOfDot(a) < commandOfDot(b) ? 1 : -1)).slice(0, seenDotCountMax);
  if (newest.length === 0) return '';
  const carts = Map.groupBy(newest, cartOfDot);
  const message = create(SeenDotsSchema, {
    carts: [...carts].slice(0, seenCartCountMax).map(([cartId, its]) => ({
      cartId,
      commandIds: Buffer.concat(its.map((dot) => uuidToBytes(commandOfDot(dot)))),
    })),
  });
  return Buffer.from(toBinary(SeenDotsSchema, message)).toString('base64url');
}

export function decodeSeen(seen: string): Dot[] | Problem {
  if (seen === '') return [];
  const malformed = problem('invalid_request', 'seen: not one that this API gave out');
  if (seen.length > seenLengthMax || !/^[A-Za-z0-9_-]+$/.test(seen)) return malformed;
  let carts;
  try {
    ({ carts } = fromBinary(SeenDotsSchema, Buffer.from(seen, 'base64url'), { readUnknownFields: false }));
  } catch {
    return malformed;
  }
  if (carts.length === 0 || carts.length > seenCartCountMax) return malformed;
  const dots: Dot[] = [];
  for (const { cartId, commandIds } of carts) {
    if (!subjectPattern.test(cartId) || commandIds.length === 0 || commandIds.length % 16 !== 0) return malformed;
    if (dots.length + commandIds.length / 16 > seenDotCountMax) return malformed;
    for (let at = 0; at < commandIds.length; at += 16) {
      const commandId = formatUuid(commandIds.subarray(at, at + 16));
      if (uuidV7Milliseconds(commandId) === undefined) return malformed;
      dots.push(dotOf(cartId, commandId));
    }
  }
  return dots;
}
