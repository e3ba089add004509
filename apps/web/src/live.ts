/**
 * Server-sent events say *that* something changed; the page then reads it again, so a lost or repeated event does no harm.
 * The browser reconnects by itself after a cut; after a refusal (the session ended, the gateway restarts) it does not, so that is done here.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { keys } from './shop.tsx';

const reopenDelayMs = 1_000;
/** A refusal that lasts is asked about twice a minute and no more. */
const reopenDelayMsMax = 30_000;

export interface LiveListeners {
  readonly onOpen: () => void;
  readonly onCart: () => void;
  readonly onSession: () => void;
  readonly onRefused: () => void;
}

/** @returns closes the stream */
export function openLiveEvents(listeners: LiveListeners): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;
  const open = (): void => {
    source = new EventSource('/api/events');
    source.addEventListener('open', () => {
      refusals = 0;
      listeners.onOpen();
    });
    source.addEventListener('cart', listeners.onCart);
    source.addEventListener('session', listeners.onSession);
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return;
      listeners.onRefused();
      timer = setTimeout(open, Math.min(reopenDelayMs * 2 ** refusals++, reopenDelayMsMax));
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** Follows the events of this identity; browsing without a session has none. */
export function useLiveEvents(identity: string | undefined): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (identity === undefined || identity === 'none') return;
    const reread = (queryKey: readonly string[]): void => void queryClient.invalidateQueries({ queryKey });
    // While a command of this page is under way its own end re-reads the cart; reading now would make the quantity jump back and forth.
    const rereadCart = (): void => {
      if (queryClient.isMutating({ mutationKey: keys.cart }) === 0) reread(keys.cart);
    };
    return openLiveEvents({
      onOpen: rereadCart,
      onCart: rereadCart,
      onSession: () => reread(keys.session),
      onRefused: () => reread(keys.session),
    });
  }, [identity, queryClient]);
}
