/** Places an order once, however often it is pressed, lost or reloaded (order-intent.ts). */
import type { Order, Session } from '@cloakroom/contracts/http';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import type { OrderWish } from '../api/api.types.ts';
import { attemptIntent, createIntentStore, isDefinite, type OrderIntent } from './order-intent.ts';
import { orderKey } from '../orders/orders.ts';
import { keys, useApi } from '../api/shop.tsx';
import { useStepUp } from '../sign-in/step-up.tsx';

const intents = createIntentStore(
  () => sessionStorage,
  () => Date.now(),
);

export interface Placing {
  readonly place: (wish: OrderWish) => void;
  /** Sent, and no answer yet: what is ordered cannot be changed now. */
  readonly isPending: boolean;
  /** An answer was lost; it is being asked for, or the person may ask. */
  readonly isUncertain: boolean;
  /** What was asked for last, and how that ended. */
  readonly asked: OrderIntent | undefined;
  readonly error: Error | null;
  readonly dismiss: () => void;
}

export function usePlaceOrder(userId: string): Placing {
  const api = useApi();
  const queryClient = useQueryClient();
  const withStepUp = useStepUp();
  const navigate = useNavigate();
  const isShown = useIsShown();
  const underWay = useRef(false);
  const { isUncertain, maybeTaken, doubt, settle } = useDoubt(userId);
  const isHere = (): boolean => queryClient.getQueryData<Session>(keys.session)?.user?.id === userId;
  const placing = useMutation({
    mutationFn: (intent: OrderIntent) => {
      const attempt = () => api.placeOrder(intent.key, intent.wish, doubt, isHere);
      return withStepUp(() => attemptIntent(intents, intent, () => maybeTaken.current, attempt));
    },
    onSuccess: async (order) => {
      settle();
      queryClient.setQueryData<Order>(orderKey(order.orderId), order);
      // Who went elsewhere meanwhile is left there.
      if (isShown.current) await navigate(`/orders/${order.orderId}`, { replace: true, state: { placedNow: true } });
    },
    onError: (error, intent) => {
      if (isDefinite(error, maybeTaken.current)) return settle();
      intents.write({ ...intent, unsure: true });
      doubt();
    },
    onSettled: () => {
      underWay.current = false;
      // Not awaited: the page goes on, and reads what has changed.
      for (const queryKey of [keys.orders, keys.cart]) void queryClient.invalidateQueries({ queryKey });
    },
  });
  const { mutate } = placing;
  const send = (intent: OrderIntent): void => {
    // A double click is one wish, and comes before the page has drawn that the first click is under way.
    if (underWay.current) return;
    underWay.current = true;
    mutate(intent);
  };
  const place = (wish: OrderWish): void => send(intents.read(userId) ?? { key: api.newOrderKey(), userId, wish, madeAtMs: Date.now() });
  // The page went away while this was asked for: it is found out without being pressed again.
  const resume = useRef(() => {
    const left = intents.read(userId);
    if (left !== undefined && left.unsure !== true) send(left);
  });
  useEffect(() => {
    const timer = setTimeout(() => resume.current());
    return () => clearTimeout(timer);
  }, []);
  return {
    place,
    isPending: placing.isPending,
    isUncertain,
    asked: placing.variables ?? intents.read(userId),
    error: placing.error,
    dismiss: placing.reset,
  };
}

/** Whether the page is still there: an answer comes also after it was left. */
function useIsShown() {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => void (isShown.current = false);
  }, []);
  return isShown;
}

/** Whether an order of the kept key may have been taken; as a ref too, for what is asked before the page is drawn again. */
function useDoubt(userId: string) {
  const [isUncertain, setUncertain] = useState(() => intents.read(userId) !== undefined);
  const maybeTaken = useRef(isUncertain);
  const doubt = (): void => {
    maybeTaken.current = true;
    setUncertain(true);
  };
  const settle = (): void => {
    intents.forget();
    maybeTaken.current = false;
    setUncertain(false);
  };
  return { isUncertain, maybeTaken, doubt, settle };
}
