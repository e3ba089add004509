/** Encodes and decodes dots, lines and ids. Events and carts share these. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  DotKind,
  formatUuid,
  lineIdLengthMax,
  uuidAt,
  uuidInto,
  uuidToBytes,
  type CommandsOfCart,
  type CommandsOfCartSchema,
  type DeadDot,
  type DeadDotSchema,
  type Dot as DotMessage,
  type DotSchema,
  type LineRef,
  type LiveCoupon,
  type LiveCouponSchema,
  type LiveDot,
  type LiveDotSchema,
  type LogOffset as LogOffsetMessage,
  type LogOffsetSchema,
} from '@cloakroom/contracts';
import {
  cartOfDot,
  commandOfDot,
  dotOf,
  originIn,
  type CartState,
  type CommandId,
  type Dot,
  type Live,
  type LogOffset,
  type Origins,
} from './cart.ts';
import { canonicalLine, lineIdOf, lineOf, type LineId } from './lines.ts';

export class UndecodableRecord extends Error {
  override readonly name = 'UndecodableRecord';
}

export const toDot = (dot: Dot): MessageInitShape<typeof DotSchema> => ({
  cartId: cartOfDot(dot),
  commandId: uuidToBytes(commandOfDot(dot)),
});

export function fromDot(dot: DotMessage | undefined): Dot {
  const [cartId, id] = fromNamed(dot);
  return dotOf(cartId, id);
}

/** A command as the wire names it: the cart in which it was made, and its id. */
export type Named = readonly [origin: string, id: CommandId];

export function fromNamed(dot: DotMessage | undefined): Named {
  if (dot === undefined || dot.cartId === '') throw new UndecodableRecord('a dot is missing');
  return [dot.cartId, formatUuid(dot.commandId)];
}

export function toLineRef(lineId: LineId): { productId: string; options: Record<string, string> } {
  const line = lineOf(lineId);
  if (line === undefined) throw new RangeError('not a line id');
  return { productId: line.productId, options: Object.fromEntries(line.options) };
}

export function fromLineRef(line: LineRef | undefined): LineId {
  if (line === undefined || line.productId === '') throw new UndecodableRecord('a line is missing');
  const lineId = lineIdOf(canonicalLine(line.productId, Object.entries(line.options)));
  if (lineId.length > lineIdLengthMax) throw new UndecodableRecord('a line is too long');
  return lineId;
}

type Owned = Pick<CartState, 'cartId' | 'origins'>;

export const toLiveDot = (
  owner: Owned,
  [id, { line, quantity, kind }]: readonly [CommandId, Live],
): MessageInitShape<typeof LiveDotSchema> => ({
  dot: { cartId: originIn(owner, id), commandId: uuidToBytes(id) },
  line: toLineRef(line),
  quantity,
  kind: kind === 'add' ? DotKind.ADD : DotKind.SET,
});

export function fromLiveDot({ line, quantity, kind }: LiveDot): Live {
  if (kind !== DotKind.ADD && kind !== DotKind.SET) throw new UndecodableRecord('unknown kind of dot');
  return { line: fromLineRef(line), quantity, kind: kind === DotKind.ADD ? 'add' : 'set' };
}

export const toDeadDot = (owner: Owned, [id, killedAtMs]: readonly [CommandId, number]): MessageInitShape<typeof DeadDotSchema> => ({
  dot: { cartId: originIn(owner, id), commandId: uuidToBytes(id) },
  killedAtMs: BigInt(killedAtMs),
});

export const toLiveCoupon = (owner: Owned, [id, code]: readonly [CommandId, string]): MessageInitShape<typeof LiveCouponSchema> => ({
  dot: { cartId: originIn(owner, id), commandId: uuidToBytes(id) },
  code,
});

export const atMsOf = ({ killedAtMs }: Pick<DeadDot, 'killedAtMs'>): number => Number(killedAtMs);
export const codeOf = ({ code }: Pick<LiveCoupon, 'code'>): string => code;

const commandIdBytes = 16;

export function joinIds(ids: readonly CommandId[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(ids.length * commandIdBytes);
  for (let index = 0; index < ids.length; index++) uuidInto(joined, index * commandIdBytes, ids[index]!);
  return joined;
}

export function splitIds(joined: Uint8Array): CommandId[] {
  if (joined.length % commandIdBytes !== 0) throw new UndecodableRecord('half a command id');
  return Array.from({ length: joined.length / commandIdBytes }, (_, index) => uuidAt(joined, index * commandIdBytes));
}

/** The origins that no dot names. Most commands have one origin, and their dot names it. */
export function toAlsoMadeIn(owner: Owned, ids: Iterable<CommandId>): MessageInitShape<typeof CommandsOfCartSchema>[] {
  if (owner.origins.size === 0) return [];
  const further = new Map<string, CommandId[]>();
  for (const id of ids) {
    const its = owner.origins.get(id);
    if (its === undefined || its.length === 1) continue;
    const named = originIn(owner, id);
    for (const cartId of its) if (cartId !== named) further.set(cartId, [...(further.get(cartId) ?? []), id]);
  }
  return [...further].map(([cartId, its]) => ({ cartId, commandIds: joinIds(its) }));
}

export function fromAlsoMadeIn(messages: readonly CommandsOfCart[]): Origins {
  const origins = new Map<CommandId, readonly string[]>();
  for (const { cartId, commandIds } of messages) {
    if (cartId === '') throw new UndecodableRecord('a command of no cart');
    for (const id of splitIds(commandIds)) origins.set(id, [...(origins.get(id) ?? []), cartId]);
  }
  return origins;
}

export const toLogOffsets = (offsets: readonly LogOffset[] = []): MessageInitShape<typeof LogOffsetSchema>[] => [...offsets];
export const fromLogOffsets = (messages: readonly LogOffsetMessage[]): LogOffset[] =>
  messages.map(({ region, logId, offset }) => ({ region, logId, offset }));
