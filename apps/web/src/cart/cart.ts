/** Reads and changes the cart. The commands of a page run one after the other (scope). Each takes the `seen` of the moment when it runs. */
import type { Cart, CartCoupon, CartLine } from '@cloakroom/contracts/http';
import { mutationOptions, queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import type { Accepted, LineWish } from '../api/api.types.ts';
import { titleOf } from '../format.ts';
import { withOwnWrites, withoutWrite, withQuantity, withWrite, type OwnWrite, type ShownCart } from './own-writes.ts';
import type { Outbox } from '../api/outbox.ts';
import type { PendingCommand } from '../api/pending-store.ts';
import { ApiProblem } from '../api/request.ts';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';
import type { ShopApi } from '../api/shop-api.ts';

/** The page reads an unsettled cart (merging, stale) again after this long. A live event usually comes sooner. */
const unsettledRereadMs = 1_000;

export function useCart() {
  const api = useApi();
  const { session } = useSession();
  return useQuery({ ...cartQuery(api), enabled: session !== undefined && session.state !== 'none' });
}

/** Reads the cart, and keeps this page's writes that the answer lacks. */
export const cartQuery = (api: Pick<ShopApi, 'cart'>) =>
  queryOptions({
    queryKey: keys.cart,
    queryFn: async ({ signal, client }): Promise<ShownCart> => {
      const before = cartOf(client)?.own;
      const answer = await api.cart(signal);
      return withOwnWrites(answer, before, cartOf(client)?.own);
    },
    refetchInterval: ({ state: { data } }) => (data && (data.stale || data.merge.state === 'pending') ? unsettledRereadMs : false),
  });

/** A wish with the product's name, for messages. */
interface TitledWish {
  readonly wish: LineWish;
  readonly title: string;
}

export function useAddLine() {
  const { ensureSession } = useSession();
  const { api, queryClient } = useCartParts();
  return useMutation({
    ...common(queryClient),
    mutationFn: async ({ wish, title }: TitledWish) => {
      await ensureSession();
      return addLine({ api, queryClient }, wish, title);
    },
  });
}

/**
 * Undoes a removal. A removed dot stays dead for ever, because other devices may already have seen that it died. So undo adds the same product,
 * options and quantity by new commands.
 */
export function useRestoreLines() {
  const { api, queryClient } = useCartParts();
  return useMutation({
    ...common(queryClient),
    mutationFn: async (lines: readonly CartLine[]) => {
      for (const line of lines) {
        const { productId, options, quantity } = line;
        await addLine({ api, queryClient }, { productId, options, quantity }, titleOf(line)).catch(unlessAsked);
      }
    },
  });
}

export function useSetQuantity(lineId: string) {
  return useMutation(quantitySetting(useCartParts(), lineId));
}

/** @param onRemoved called while the line is still on the page; a callback of the mutation might come too late for that */
export function useRemoveLine(lineId: string, onRemoved: () => void) {
  return useMutation(lineRemoval(useCartParts(), lineId, onRemoved));
}

/** @param onCleared called while the lines are still on the page */
export function useClearCart(onCleared: (lines: readonly CartLine[]) => void) {
  const { api, queryClient } = useCartParts();
  return useMutation({
    ...common(queryClient),
    mutationFn: async () => {
      const { lines = [], seen = '' } = cartOf(queryClient) ?? {};
      refuseWhileOpen(api.outbox.mine());
      const accepted = await api.clearCart(seen);
      onCleared(lines);
      for (const { lineId } of lines) wrote(queryClient, lineId, { quantity: 0, seen: accepted.seen });
      return accepted;
    },
  });
}

export function useApplyCoupon() {
  const { api, queryClient } = useCartParts();
  return useMutation({ ...common(queryClient), mutationFn: (code: string) => api.applyCoupon(code) });
}

export function useRemoveCoupon() {
  const { api, queryClient } = useCartParts();
  return useMutation({ ...common(queryClient), mutationFn: ({ code, seen }: CartCoupon) => api.removeCoupon(code, seen) });
}

interface CartParts {
  readonly api: Pick<ShopApi, 'addLine' | 'setQuantity' | 'removeLine' | 'clearCart'> & {
    readonly outbox: Pick<Outbox, 'mine'>;
  };
  readonly queryClient: QueryClient;
}

function useCartParts(): CartParts & { readonly api: ShopApi } {
  return { api: useApi(), queryClient: useQueryClient() };
}

/** Commands run one after the other. After the last one the page reads the cart again. */
const common = (queryClient: QueryClient) => ({
  mutationKey: keys.cart,
  scope: { id: 'cart' },
  onSettled: () => rereadAfterLast(queryClient),
});

/** If the line exists, the command carries its `seen`. The answer's `seen` then covers the whole line, so that the next change replaces all of it. */
export async function addLine({ api, queryClient }: CartParts, wish: LineWish, title: string): Promise<Accepted> {
  const line = cartOf(queryClient)?.lines.find((known) => isOf(known, wish));
  const accepted = await api.addLine({ ...wish, ...(line && { seen: line.seen }) }, `adding ${wish.quantity} × ${title}`);
  added(queryClient, line, wish, accepted);
  return accepted;
}

/** @param line as it was when the command was sent */
function added(queryClient: QueryClient, line: CartLine | undefined, wish: Pick<LineWish, 'quantity'>, accepted: Accepted): void {
  const { lineId, seen } = accepted;
  if (line) wrote(queryClient, line.lineId, { quantity: line.quantity + wish.quantity, seen });
  else if (lineId !== undefined) queryClient.setQueryData<ShownCart>(keys.cart, (cart) => cart && withoutWrite(cart, lineId));
}

export function quantitySetting({ api, queryClient }: CartParts, lineId: string) {
  return mutationOptions({
    ...common(queryClient),
    mutationFn: async (quantity: number) => {
      refuseWhileLineOpen({ api, queryClient }, lineId);
      const about = `setting the quantity of ${titleIn(queryClient, lineId)} to ${quantity}`;
      const accepted = await api.setQuantity(lineId, quantity, seenOf(queryClient, lineId), about);
      // The page may already show a later wish. That one is sent next and wins.
      const shownQuantity = lineOf(queryClient, lineId)?.quantity ?? quantity;
      wrote(queryClient, lineId, { quantity: shownQuantity, seen: accepted.seen });
      return accepted;
    },
    onMutate: async (quantity) => {
      await queryClient.cancelQueries({ queryKey: keys.cart });
      queryClient.setQueryData<ShownCart>(keys.cart, (cart) => cart && withQuantity(cart, lineId, quantity));
    },
  });
}

export function lineRemoval({ api, queryClient }: CartParts, lineId: string, onRemoved: () => void) {
  return mutationOptions({
    ...common(queryClient),
    mutationFn: async () => {
      refuseWhileLineOpen({ api, queryClient }, lineId);
      const accepted = await api.removeLine(lineId, seenOf(queryClient, lineId), `removing ${titleIn(queryClient, lineId)}`);
      onRemoved();
      wrote(queryClient, lineId, { quantity: 0, seen: accepted.seen });
      return accepted;
    },
  });
}

/**
 * The commands of a line whose outcome is unknown. A change sent now would carry the `seen` from before them, and count beside them.
 * @param productId an addition names no line, so any addition of the same product may be of this line
 */
export const openOf = (pending: readonly PendingCommand[], lineId: string, productId: string | undefined): readonly PendingCommand[] =>
  pending.filter((command) => {
    const isAddition = command.productId !== undefined && command.productId === productId;
    return command.isOpen && (command.lineId === lineId || isAddition || command.path === clearPath);
  });
const clearPath = '/api/cart';

function refuseWhileLineOpen({ api, queryClient }: CartParts, lineId: string): void {
  refuseWhileOpen(openOf(api.outbox.mine(), lineId, lineOf(queryClient, lineId)?.productId));
}

function refuseWhileOpen(open: readonly PendingCommand[]): void {
  if (open.some(({ isOpen }) => isOpen)) throw new ApiProblem('still_asking', 0, 'An earlier change is not known yet.');
}

/** `still_asking` is no failure: the page goes on asking, and pending.tsx says so. */
function unlessAsked(error: unknown): void {
  if (!(error instanceof ApiProblem) || error.code !== 'still_asking') throw error;
}

/** Updates the shown cart after a command that was taken, but whose answer came only after its caller had given up. */
export function applyTaken(queryClient: QueryClient, { lineId, method, body }: PendingCommand, accepted: Accepted): void {
  const quantity = method === 'DELETE' ? 0 : body['quantity'];
  if (typeof quantity !== 'number') return;
  if (lineId !== undefined) wrote(queryClient, lineId, { quantity, seen: accepted.seen });
  else if (accepted.lineId !== undefined) {
    const line = lineOf(queryClient, accepted.lineId);
    // If the line has changed since, it may hold the addition already. The next reading of the cart tells.
    if (line?.seen === body['seen']) added(queryClient, line, { quantity }, accepted);
  }
}

const titleIn = (queryClient: QueryClient, lineId: string): string => {
  const line = lineOf(queryClient, lineId);
  return line === undefined ? 'a line' : titleOf(line);
};
const cartOf = (queryClient: QueryClient): ShownCart | undefined => queryClient.getQueryData<ShownCart>(keys.cart);
const lineOf = (queryClient: QueryClient, lineId: string): CartLine | undefined =>
  cartOf(queryClient)?.lines.find((line) => line.lineId === lineId);
const seenOf = (queryClient: QueryClient, lineId: string): string => lineOf(queryClient, lineId)?.seen ?? '';

function isOf(line: CartLine, wish: LineWish): boolean {
  const names = Object.keys(wish.options);
  return (
    line.productId === wish.productId &&
    names.length === Object.keys(line.options).length &&
    names.every((name) => line.options[name] === wish.options[name])
  );
}

function wrote(queryClient: QueryClient, lineId: string, write: OwnWrite): void {
  queryClient.setQueryData<ShownCart>(keys.cart, (cart) => cart && withWrite(cart, lineId, write));
}

export const countOf = (cart: Pick<Cart, 'lines'> | undefined): number => cart?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0;

/** The finished command is still in the list when this counts, so 1 means that no other is left. */
function rereadAfterLast(queryClient: QueryClient): Promise<void> | undefined {
  return queryClient.isMutating({ mutationKey: keys.cart }) <= 1 ? queryClient.invalidateQueries({ queryKey: keys.cart }) : undefined;
}
