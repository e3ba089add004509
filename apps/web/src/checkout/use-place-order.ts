/** Places an order once, however often the person presses the button, loses an answer or reloads (order-intent.ts). */
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
  /** The order is sent and has no answer yet, so its contents cannot change now. */
  readonly isPending: boolean;
  /** An answer was lost. The page is asking again, or the person may ask. */
  readonly isUncertain: boolean;
  /** The last wish, and how it ended. */
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
      // A person who went to another page meanwhile stays there.
      if (isShown.current) await navigate(`/orders/${order.orderId}`, { replace: true, state: { placedNow: true } });
    },
    onError: (error, intent) => {
      if (isDefinite(error, maybeTaken.current)) return settle();
      intents.write({ ...intent, unsure: true });
      doubt();
    },
    onSettled: () => {
      underWay.current = false;
      // The page does not wait for this. It goes on and reads what has changed.
      for (const queryKey of [keys.orders, keys.cart]) void queryClient.invalidateQueries({ queryKey });
    },
  });
  const { mutate } = placing;
  const send = (intent: OrderIntent): void => {
    // A double click is one wish. The second click may come before the page has drawn that the first is under way.
    if (underWay.current) return;
    underWay.current = true;
    mutate(intent);
  };
  const place = (wish: OrderWish): void => send(intents.read(userId) ?? { key: api.newOrderKey(), userId, wish, madeAtMs: Date.now() });
  // The page was closed while it asked for this order. It asks again without another press.
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

/** Whether the page is still shown. An answer may come after the person left it. */
function useIsShown() {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => void (isShown.current = false);
  }, []);
  return isShown;
}

/** Whether an order of the kept key may have been taken. Also a ref, for code that asks before the page is drawn again. */
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
