/** A fault: reads as a replica of the view answers that lags. It keeps what it has shown, until that is as old as the switch says. */
import { faultsArmed, troubleAt } from '@cloakroom/platform';
import type { CartView, Place } from '../projection/cart.view.ts';

type ReadView = Pick<CartView, 'load' | 'places'>;
type Loaded = Awaited<ReturnType<CartView['load']>>;

/** People who study a stale read at the same time. The oldest copy goes first. */
const copyCountMax = 100;
const copies = new Map<string, { readonly takenAtMs: number; readonly loaded: Promise<Loaded> }>();

/** The view as a read of this cart may see it. Without a switch it is the view itself. */
export function viewForRead(
  view: CartView,
  cartId: string,
  experiment: string | undefined,
  nowMs: () => number,
): CartView | Promise<ReadView> {
  return faultsArmed() ? viewInTrouble(view, cartId, experiment, nowMs) : view;
}

async function viewInTrouble(view: CartView, cartId: string, experiment: string | undefined, nowMs: () => number): Promise<ReadView> {
  const oldMs = (await troubleAt('cart-view', 'cart', experiment))?.oldMs ?? 0;
  // Two trainees may look at one cart, and only one of them through an old copy.
  const key = `${experiment ?? ''} ${cartId}`;
  if (oldMs === 0) {
    copies.delete(key);
    return view;
  }
  const load = (partition: number): Promise<Loaded> => {
    const known = copies.get(key);
    if (known !== undefined && nowMs() - known.takenAtMs < oldMs) return known.loaded;
    copies.delete(key);
    const loaded = view.load(partition, [cartId]);
    copies.set(key, { takenAtMs: nowMs(), loaded });
    // A view that did not answer is asked again by the next read.
    loaded.catch(() => copies.delete(key));
    const [oldest] = copies.keys();
    if (copies.size > copyCountMax && oldest !== undefined) copies.delete(oldest);
    return loaded;
  };
  /** A read that waits for its own write sees the old place here too. So it waits in vain, as at a replica that lags. */
  const places = async ([partition = 0]: readonly number[]): Promise<Map<number, Place>> => {
    const { place } = await load(partition);
    return new Map(place === undefined ? [] : [[partition, place]]);
  };
  return { load, places };
}
