/** Reads orders, and previews of orders. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { keys, useApi } from '../api/shop.tsx';
import { useSession } from '../session/session.tsx';

/** The page asks about an unsettled order again after this long. A live event usually comes sooner. */
const unsettledRereadMs = 2_000;

export const previewKey = (seen: string) => [...keys.preview, seen] as const;
export const orderKey = (orderId: string) => [...keys.orders, 'one', orderId] as const;

/** @param seen the part of the cart to order; undefined: ask nothing yet. Until the answer comes, the page shows the one before */
export function usePreview(seen: string | undefined) {
  const api = useApi();
  return useQuery({
    queryKey: previewKey(seen ?? ''),
    queryFn: ({ signal }) => api.previewOrder(seen ?? '', signal),
    enabled: seen !== undefined,
    placeholderData: keepPreviousData,
  });
}

export function useOrders(page: number) {
  const api = useApi();
  const { session } = useSession();
  return useQuery({
    queryKey: [...keys.orders, 'page', page],
    queryFn: ({ signal }) => api.orders(page, signal),
    enabled: session?.state === 'user',
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) => (data?.items.some(({ status }) => status === 'pending') ? unsettledRereadMs : false),
  });
}

export function useOrder(orderId: string) {
  const api = useApi();
  const { session } = useSession();
  return useQuery({
    queryKey: orderKey(orderId),
    queryFn: ({ signal }) => api.order(orderId, signal),
    enabled: session?.state === 'user',
    refetchInterval: ({ state: { data } }) => (data?.status === 'pending' ? unsettledRereadMs : false),
  });
}
