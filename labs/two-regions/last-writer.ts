/**
 * EXERCISE, WRONG ON PURPOSE: a row for each line of a cart, a copy of the rows in each region, and of two writes the later one stands. An add reads the
 * quantity in its region and writes one more. The clocks are perfect here: the loss is not theirs.
 */
import type { OutgoingRecord } from '@cloakroom/event-log';
import type { CartParts } from '../../apps/cart/src/cart.dependencies.ts';
import { commandOfDot, emptyCart, evolve, linesOf, type CartEvent, type CartState } from '../../apps/cart/src/model/cart.ts';
import { decodeEvent, encodeEvent } from '../../apps/cart/src/model/codec.ts';
import { partitionOfCart } from '../../apps/cart/src/reads/consistency.ts';
import { override } from '../prove/prove.world.ts';

/** Cart's parts with this model in the place of the right one. */
export function lastWriter(parts: CartParts): CartParts {
  const rewritten = async (record: OutgoingRecord): Promise<OutgoingRecord> => {
    const event = decodeEvent({ ...record, headers: record.headers ?? {} });
    if (event.type !== 'ItemAdded') return record;
    const { cartId, atMs, dot, line } = event;
    const read = (await parts.view.load(partitionOfCart(parts, cartId), [cartId])).carts.get(cartId)?.state ?? emptyCart(cartId);
    const before = linesOf(read).find(({ lineId }) => lineId === line)?.quantity ?? 0;
    const { value, headers } = encodeEvent({
      type: 'QuantitySet',
      cartId,
      atMs,
      dot,
      line,
      quantity: before + event.quantity,
      observed: [],
    });
    return { ...record, value, headers: { ...record.headers, ...headers } };
  };
  const { eventLog } = parts;
  const publish: typeof eventLog.publish = async (topic, records) => eventLog.publish(topic, await Promise.all(records.map(rewritten)));
  return { ...parts, evolve: laterStands, eventLog: override(eventLog, { publish }) };
}

/** Ids of commands are UUIDv7, so they sort by the time of the write. */
function laterStands(state: CartState, event: CartEvent): CartState {
  if (event.type !== 'QuantitySet') return evolve(state, event);
  const id = commandOfDot(event.dot);
  const row = [...state.dots].find(([, { line }]) => line === event.line);
  if (row !== undefined && row[0] >= id) return state;
  const others = [...state.dots].filter(([known]) => known !== row?.[0]);
  return { ...state, dots: new Map(others).set(id, { line: event.line, quantity: event.quantity, kind: 'set' }) };
}
