/** Reading and changing the cart. Commands of one page run one after the other (scope), each with what had been seen when it runs. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import type { Cart, CartLine, CommandAccepted, LineWish } from './api.types.ts';
import { useSession } from './session.tsx';
import { keys, useApi } from './shop.tsx';

/** How soon an unsettled cart (merging, stale) is read again when no event comes; the live event is the fast way. */
const unsettledRereadMs = 1_000;

export function useCart() {
  const api = useApi();
  const { session } = useSession();
  return useQuery({
    queryKey: keys.cart,
    queryFn: ({ signal }) => api.cart(signal),
    enabled: session !== undefined && session.state !== 'none',
    refetchInterval: ({ state: { data } }) => (data && (data.stale || data.merge.state === 'pending') ? unsettledRereadMs : false),
  });
}

export function useAddLine() {
  const api = useApi();
  const { ensureSession } = useSession();
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: keys.cart,
    scope: { id: 'cart' },
    mutationFn: async (line: LineWish) => {
      await ensureSession();
      return api.addLine(line);
    },
    onSettled: () => rereadAfterLast(queryClient),
  });
}

/**
 * Undo of a removal. What was removed stays removed for ever (a dot names one command, and its death is part of the cart's history that other
 * devices may already have seen), so nothing is brought back: the same product, options and quantity are added by new commands.
 */
export function useRestoreLines() {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: keys.cart,
    scope: { id: 'cart' },
    mutationFn: async (wishes: readonly LineWish[]) => {
      for (const { productId, options, quantity } of wishes) await api.addLine({ productId, options, quantity });
    },
    onSettled: () => rereadAfterLast(queryClient),
  });
}

export function useSetQuantity(lineId: string) {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: keys.cart,
    scope: { id: 'cart' },
    mutationFn: (quantity: number) => api.setQuantity(lineId, quantity, seenOf(queryClient, lineId)),
    onMutate: async (quantity) => {
      await queryClient.cancelQueries({ queryKey: keys.cart });
      patchLine(queryClient, lineId, { quantity });
    },
    // A set that follows before the cart is read again must have seen this one, or both would count.
    onSuccess: (accepted: CommandAccepted) => patchLine(queryClient, lineId, { seen: accepted.seen }),
    onSettled: () => rereadAfterLast(queryClient),
  });
}

export function useRemoveLine(lineId: string) {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: keys.cart,
    scope: { id: 'cart' },
    mutationFn: () => api.removeLine(lineId, seenOf(queryClient, lineId)),
    onSettled: () => rereadAfterLast(queryClient),
  });
}

export function useClearCart() {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: keys.cart,
    scope: { id: 'cart' },
    mutationFn: () => api.clearCart(queryClient.getQueryData<Cart>(keys.cart)?.seen ?? ''),
    onSettled: () => rereadAfterLast(queryClient),
  });
}

const seenOf = (queryClient: QueryClient, lineId: string): string =>
  queryClient.getQueryData<Cart>(keys.cart)?.lines.find((line) => line.lineId === lineId)?.seen ?? '';

function patchLine(queryClient: QueryClient, lineId: string, patch: Partial<CartLine>): void {
  queryClient.setQueryData<Cart>(keys.cart, (cart) => cart && withLine(cart, lineId, patch));
}

export const countOf = (cart: Pick<Cart, 'lines'> | undefined): number => cart?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0;

/** The cart as it will be, shown until it is read again. */
export function withLine(cart: Cart, lineId: string, patch: Partial<CartLine>): Cart {
  const lines = cart.lines.map((line) => (line.lineId === lineId ? { ...line, ...patch } : line));
  return { ...cart, lines, subtotal: lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0) };
}

/** Counted before the finished command leaves the list, so 1 is itself. */
function rereadAfterLast(queryClient: QueryClient): Promise<void> | undefined {
  return queryClient.isMutating({ mutationKey: keys.cart }) <= 1 ? queryClient.invalidateQueries({ queryKey: keys.cart }) : undefined;
}
