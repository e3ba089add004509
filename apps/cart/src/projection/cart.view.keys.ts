/**
 * The keys of the view in Redis. All keys of a partition share the hash tag `{cart:<partition>}`, so they are in one slot and one script
 * can write them.
 *
 * Records stand in a _space_. A pointer in each partition names the space that serves. A replay fills another space and then moves the
 * pointer. Without a pointer, the space is the view's own name. Channel and pointer are named after the view, because they outlive every
 * space.
 */

/** String: the space that serves. */
export const servingKey = (name: string, partition: number): string => `{cart:${partition}}:${name}:serving`;
/** String: `<next> <rebuiltAt> <forwardedTo> <logId>`, and after it a part for each copy of another region's log: `mirrorsText`. */
export const placeKey = (space: string, partition: number): string => `{cart:${partition}}:${space}:place`;
/** String: a CartSnapshot in protobuf. */
export const cartKey = (space: string, partition: number, cartId: string): string => `{cart:${partition}}:${space}:cart:${cartId}`;
/** Sorted set: cart id by the time of its oldest event that no snapshot holds. */
export const dueKey = (space: string, partition: number): string => `{cart:${partition}}:${space}:due`;
/** A channel, not a key. Message: `<next>`, then for each cart a line with its id and, if known, a line with the change's traceparent. */
export const changedChannel = (name: string, partition: number): string => `{cart:${partition}}:${name}:changed`;

/** The space of a key; undefined when the key belongs to no space. */
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
