/** Prints a step of a cart's history: a line for a person, or JSON for a program. */
import { cartOfDot, commandOfDot, couponsOf, linesOf, type CartEvent, type Dot } from '../model/cart.ts';
import { lineOf, type LineId } from '../model/lines.ts';
import type { Step } from './history.ts';

/** A longer cart is cut, so that the table stays readable. --json shows all of it. */
const cartWidthMax = 120;
const offsetWidth = 10;
const regionWidth = 6;
const eventWidth = 58;

/** @param here this region, where the log of another one is read too */
export const tableHead = (here?: string): string =>
  `${'offset'.padStart(offsetWidth)}  ${regionColumn(here, 'region')}${'at'.padEnd(24)}  ${'event'.padEnd(eventWidth)}  cart after it`;

/** @param here as for tableHead */
export function tableRow(step: Step, here?: string): string {
  const { offset, atMs, event, unreadable, changed, region } = step;
  const what = event === undefined ? `cannot be read: ${unreadable}` : describe(event);
  const said = changed || event === undefined ? what : `${what} - changes nothing`;
  const where = `${String(offset).padStart(offsetWidth)}  ${regionColumn(here, region ?? here)}`;
  return `${where}${new Date(atMs).toISOString()}  ${said.padEnd(eventWidth)}  ${cartAfter(step)}`;
}

const regionColumn = (here: string | undefined, text = ''): string => (here === undefined ? '' : `${text.padEnd(regionWidth)}  `);

/** @param here as for tableHead */
export function jsonRow({ offset, region, atMs, event, unreadable, changed, after, traceparent }: Step, here?: string): string {
  const { state, missing, inRegions } = after;
  return JSON.stringify(
    {
      offset,
      ...(here !== undefined && { region: region ?? here }),
      at: new Date(atMs).toISOString(),
      ...(event === undefined ? { unreadable } : { event }),
      changed,
      ...(traceparent !== undefined && { traceparent }),
      after: {
        lines: linesOf(state).map(({ lineId, quantity, dots }) => ({ lineId, quantity, dots })),
        coupons: couponsOf(state),
        dead: state.dead,
        doomed: state.doomed,
        joined: state.joined,
        claimedBy: state.claimedBy,
        missing,
        ...(inRegions !== undefined && { missingOfOthers: inRegions.missing }),
      },
    },
    plainly,
  );
}

/** Turns maps into objects, sets into arrays, and offsets into text, because a double cannot hold 64 bits. */
function plainly(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value as ReadonlyMap<string, unknown>);
  if (value instanceof Set) return [...(value as ReadonlySet<unknown>)];
  return typeof value === 'bigint' ? String(value) : value;
}

function cartAfter({ after: { state, missing, inRegions } }: Step): string {
  const lines = linesOf(state).map(({ lineId, quantity }) => `${nameOf(lineId)} ${quantity}`);
  const coupons = couponsOf(state).map(({ code }) => code);
  const waits = [...missing, ...(inRegions?.missing ?? []).map(({ region, offset }) => `${offset} of ${region}`)];
  const notes = [
    ...(state.claimedBy === undefined ? [] : [`claimed by ${state.claimedBy}`]),
    ...(waits.length === 0 ? [] : [`INCOMPLETE, waits for ${waits.join(', ')}`]),
  ];
  const text = [lines.length + coupons.length === 0 ? 'empty' : [...lines, ...coupons].join(', '), ...notes].join(' | ');
  return text.length > cartWidthMax ? `${text.slice(0, cartWidthMax)}... (${lines.length} lines)` : text;
}

function describe(event: CartEvent): string {
  switch (event.type) {
    case 'ItemAdded':
      return `add ${event.quantity} ${nameOf(event.line)} as ${short(event.dot)}`;
    case 'QuantitySet':
      return `set ${nameOf(event.line)} to ${event.quantity} as ${short(event.dot)}, saw ${shortAll(event.observed)}`;
    case 'ItemRemoved':
      return `remove ${nameOf(event.line)}, saw ${shortAll(event.observed)}`;
    case 'CartCleared':
      return `clear, saw ${shortAll(event.observed)}`;
    case 'CouponApplied':
      return `coupon ${event.code} as ${short(event.dot)}`;
    case 'CouponRemoved':
      return `no coupon ${event.code}, saw ${shortAll(event.observed)}`;
    case 'OrderPlaced':
      return `order ${event.orderId.slice(-8)} takes ${shortAll(event.dots)}`;
    case 'GuestCartClaimed':
      return `claimed by ${event.userCartId}`;
    case 'GuestJoined':
      return `join of ${event.guestCartId.slice(0, 2)}..${event.guestCartId.slice(-8)} at ${event.guestOffset}: ${event.dots.size} live, ${event.dead.size} dead`;
  }
}

function nameOf(lineId: LineId): string {
  const line = lineOf(lineId);
  if (line === undefined) return lineId;
  return line.options.length === 0
    ? line.productId
    : `${line.productId} (${line.options.map(([name, value]) => `${name} ${value}`).join(', ')})`;
}

/** Shows the end of a UUIDv7, which differs between ids, and marks a guest's dot. */
const short = (dot: Dot): string => `${cartOfDot(dot).startsWith('g_') ? 'g' : ''}..${commandOfDot(dot).slice(-8)}`;
const shortAll = (dots: readonly Dot[]): string =>
  dots.length === 0
    ? 'nothing'
    : dots.length > 3
      ? `${dots.slice(0, 3).map(short).join(' ')} and ${dots.length - 3} more`
      : dots.map(short).join(' ');
