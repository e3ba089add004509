/**
 * Server-sent events say *that* something changed; the page then reads it again, so a lost or repeated event does no harm.
 * The browser reconnects by itself after a cut; after a refusal (the session ended, the gateway restarts) it does not, so that is done here.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { keys } from '../api/shop.tsx';

const reopenDelayMs = 1_000;
/** A refusal that lasts is asked about twice a minute and no more. */
const reopenDelayMsMax = 30_000;

export interface LiveListeners {
  readonly onOpen: () => void;
  readonly onCart: () => void;
  readonly onSession: () => void;
  readonly onOrder: () => void;
  readonly onRefused: () => void;
}

/**
 * Only while the page can be seen: over HTTP/1.1 a browser has six connections to an origin for all its tabs, and six forgotten tabs would
 * leave none for anything else. A page that is shown again reads again (onOpen), so nothing is missed.
 * @returns closes the stream
 */
export function openLiveEvents(listeners: LiveListeners): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;
  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    close();
    const opened = new EventSource('/api/events');
    source = opened;
    opened.addEventListener('open', () => {
      refusals = 0;
      listeners.onOpen();
    });
    opened.addEventListener('cart', listeners.onCart);
    opened.addEventListener('session', listeners.onSession);
    opened.addEventListener('order', listeners.onOrder);
    opened.addEventListener('error', () => {
      if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
      listeners.onRefused();
      timer = setTimeout(open, Math.min(reopenDelayMs * 2 ** refusals++, reopenDelayMsMax));
    });
  };
  const follow = (): void => (document.visibilityState === 'visible' ? open() : close());
  document.addEventListener('visibilitychange', follow);
  follow();
  return () => {
    document.removeEventListener('visibilitychange', follow);
    close();
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
      if (queryClient.isMutating({ mutationKey: keys.cart }) > 0) return;
      reread(keys.cart);
      // Something that is being ordered may have gone out.
      reread(keys.preview);
    };
    return openLiveEvents({
      onOpen: () => {
        rereadCart();
        reread(keys.session);
        reread(keys.orders);
      },
      onCart: rereadCart,
      onSession: () => reread(keys.session),
      onOrder: () => reread(keys.orders),
      onRefused: () => reread(keys.session),
    });
  }, [identity, queryClient]);
}
