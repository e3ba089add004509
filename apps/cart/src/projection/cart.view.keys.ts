/**
 * The keys of the view in Redis. All of a partition share the hash tag `{cart:<partition>}`: one slot, one script.
 *
 * Records stand in a _space_, and a pointer beside each partition names the space that serves: a replay fills another one beside it, and moves
 * the pointer. Without a pointer the view's own name is the space. The name also heads channel and pointer, which outlive every space.
 */

/** String: the space that serves. */
export const servingKey = (name: string, partition: number): string => `{cart:${partition}}:${name}:serving`;
/** String: `<next> <rebuiltAt> <forwardedTo> <logId>`. */
export const placeKey = (space: string, partition: number): string => `{cart:${partition}}:${space}:place`;
/** String: a CartSnapshot in protobuf. */
export const cartKey = (space: string, partition: number, cartId: string): string => `{cart:${partition}}:${space}:cart:${cartId}`;
/** Sorted set: cart id by the time of its oldest event that no snapshot holds. */
export const dueKey = (space: string, partition: number): string => `{cart:${partition}}:${space}:due`;
/** Channel, not a key: `<next>`, then a line a cart: its id, and where it is known one more with the traceparent of the change. */
export const changedChannel = (name: string, partition: number): string => `{cart:${partition}}:${name}:changed`;

/** Of a key of a space: which. */
export const spaceOfKey = (key: string): string | undefined => /^\{cart:\d+\}:([^:]+):(?:place|due|cart:.+)$/.exec(key)?.[1];

const numberOf = (space: string): { stem: string; number: number } => {
  const [, stem = space, number = '1'] = /^(.*?)(\d+)$/.exec(space) ?? [];
  return { stem, number: Number(number) };
};

/** `v1` is followed by `v2`. */
export function spaceAfter(space: string): string {
  const { stem, number } = numberOf(space);
  return `${stem}${number + 1}`;
}

export function isBefore(space: string, other: string): boolean {
  const [a, b] = [numberOf(space), numberOf(other)];
  return a.stem === b.stem && a.number < b.number;
}
