/**
 * A server-sent event says *that* something changed, and the page reads it again. So a lost or repeated event does no harm.
 * The browser reconnects by itself after a cut, but not after a refusal (the session ended, the gateway restarts). This file does that.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { PageSpans } from '../api/page-spans.ts';
import { keys } from '../api/shop.tsx';

const reopenDelayMs = 1_000;
/** While the gateway goes on refusing, the page asks twice a minute and no more. */
const reopenDelayMsMax = 30_000;

export interface LiveListeners {
  readonly onOpen: () => void;
  /** @param cause the traceparent of the change, where the gateway knows it */
  readonly onCart: (cause: string | undefined) => void;
  readonly onSession: () => void;
  readonly onOrder: (cause: string | undefined) => void;
  readonly onRefused: () => void;
}

/**
 * Keeps a stream only while the page is visible. Over HTTP/1.1 a browser has six connections to an origin for all its tabs, so six forgotten tabs
 * would leave none for anything else. A page that becomes visible reads again (onOpen), so it misses nothing.
 * @returns a function that closes the stream
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
    opened.addEventListener('cart', (event) => listeners.onCart(causeIn(event)));
    opened.addEventListener('session', listeners.onSession);
    opened.addEventListener('order', (event) => listeners.onOrder(causeIn(event)));
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

function causeIn({ data }: MessageEvent<string>): string | undefined {
  try {
    const { traceparent } = JSON.parse(data) as { traceparent?: unknown };
    return typeof traceparent === 'string' ? traceparent : undefined;
  } catch {
    return undefined;
  }
}

/** Follows the events of this identity. Without a session there are none. */
export function useLiveEvents(identity: string | undefined, pageSpans: PageSpans): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (identity === undefined || identity === 'none') return;
    const reread = (queryKey: readonly string[]): Promise<void> => queryClient.invalidateQueries({ queryKey });
    // A command that is under way re-reads the cart when it ends. Reading now would make the quantity jump back and forth.
    const rereadCart = (cause: string | undefined): void => {
      if (queryClient.isMutating({ mutationKey: keys.cart }) > 0) return;
      const shown = pageSpans.heard('/api/cart', cause);
      const before = queryClient.getQueryData(keys.cart);
      void reread(keys.cart).then(() => {
        const isNews = queryClient.getQueryData(keys.cart) !== before;
        afterPaint(() => shown(isNews ? 'show the changed cart' : 'read the cart again'));
      });
      // A product that the person is ordering may be out of stock now.
      void reread(keys.preview);
    };
    return openLiveEvents({
      onOpen: () => {
        rereadCart(undefined);
        void reread(keys.session);
        void reread(keys.orders);
      },
      onCart: rereadCart,
      onSession: () => void reread(keys.session),
      onOrder: (cause) => {
        const shown = pageSpans.heard('/api/orders', cause);
        void reread(keys.orders).then(() => afterPaint(() => shown('show the changed order')));
      },
      onRefused: () => void reread(keys.session),
    });
  }, [identity, queryClient, pageSpans]);
}

/** The first frame draws what was read, and at the second it has been drawn. */
const afterPaint = (run: () => void): void => void requestAnimationFrame(() => requestAnimationFrame(run));
