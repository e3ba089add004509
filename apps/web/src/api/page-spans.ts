/**
 * The browser's part of a request, for the Observatory of a shop on this machine: when a person clicked, when the answer was there, and when a
 * change from elsewhere was shown. The page begins the trace itself, and tells the times afterwards. Without an Observatory nothing of it happens.
 */
import type { PostApiPageSpansBody } from '@cloakroom/contracts/http';
import type { Fetch } from './request.ts';

type PageSpan = PostApiPageSpansBody['spans'][number];

export interface PageSpans {
  /** The gateway said that an Observatory watches. That counts after a reload too, so that the first reads have a browser's part. */
  readonly switchOn: () => void;
  /** A person clicked. @param atMs on the page's clock, as Event.timeStamp has it */
  readonly acted: (atMs: number) => void;
  /** Sends a traceparent with each request, and notes when the answer was there. */
  readonly watching: (fetch: Fetch) => Fetch;
  /**
   * A live event said that something changed, and the page is about to read it again. That request continues the trace of the change.
   * @param path the request's address begins so
   * @returns called when the page shows what it read. It tells nothing if no request was made.
   */
  readonly heard: (path: string, traceparent: string | undefined) => (name: string) => void;
  /** Sends what waits, now: the page may be left. */
  readonly flush: () => void;
}

export interface PageSpanParts {
  /** Milliseconds of the page's own clock, with fractions: performance.now(). */
  readonly clock: () => number;
  /** Milliseconds since 1970 at the same moment. */
  readonly wallMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** @returns whether the gateway takes such spans; a lost answer counts as yes */
  readonly send: (body: PostApiPageSpansBody) => Promise<boolean>;
  /** Runs it when the page has nothing else to do, and within a second. */
  readonly whenIdle: (run: () => void) => void;
  /** What `remember` was told last, also by an earlier page. */
  readonly recall: () => boolean;
  readonly remember: (isOn: boolean) => void;
}

/** The gateway takes no more at once. */
const batchMax = 20;
/** A request that begins later than this after a click has another cause. */
const clickMaxMs = 200;

const silent = (): void => undefined;

// oxlint-disable-next-line max-lines-per-function -- Longer because its functions share one state, which nobody else may touch.
export function createPageSpans({ clock, wallMs, randomBytes, send, whenIdle, recall, remember }: PageSpanParts): PageSpans {
  let isOn = recall();
  let clickedAt: number | undefined;
  let change: { readonly path: string; readonly traceparent: string; startedAt: number | undefined } | undefined;
  let waiting: PageSpan[] = [];

  const turn = (on: boolean): void => {
    if (on !== isOn) remember(on);
    isOn = on;
  };
  const flush = (): void => {
    const spans = waiting.slice(0, batchMax);
    waiting = waiting.slice(batchMax);
    if (spans.length === 0) return;
    void send({ spans }).then((taken) => taken || turn(false));
    flush();
  };
  const add = (name: string, traceparent: string, startedAt: number): void => {
    const durationMs = Math.max(0, clock() - startedAt);
    waiting.push({ name, traceparent, startedAtMs: wallMs() - durationMs, durationMs });
    if (waiting.length === 1) whenIdle(flush);
  };
  /** Only the first request after a click was caused by it. */
  const takeClick = (now: number): number => {
    const at = clickedAt;
    clickedAt = undefined;
    return at !== undefined && now - at <= clickMaxMs ? at : now;
  };

  return {
    switchOn: () => turn(true),
    acted: (atMs) => void (clickedAt = atMs),
    watching: (fetch) => async (path, init) => {
      if (!isOn) return fetch(path, init);
      const [now, method] = [clock(), init.method ?? 'GET'];
      const headers = new Headers(init.headers);
      if (method === 'GET' && change !== undefined && path.startsWith(change.path)) {
        change.startedAt ??= now;
        headers.set('traceparent', change.traceparent);
        return fetch(path, { ...init, headers });
      }
      const startedAt = takeClick(now);
      const traceparent = newTraceparent(randomBytes);
      headers.set('traceparent', traceparent);
      const response = await fetch(path, { ...init, headers });
      add(nameOf(method, path), traceparent, startedAt);
      return response;
    },
    heard: (path, traceparent) => {
      if (!isOn || traceparent === undefined) return silent;
      const mine: typeof change = { path, traceparent, startedAt: undefined };
      const heardAt = clock();
      change = mine;
      return (name) => {
        if (change === mine) change = undefined;
        if (mine.startedAt !== undefined) add(name, traceparent, heardAt);
      };
    },
    flush,
  };
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** W3C Trace Context: a trace that begins here, and is sampled. */
function newTraceparent(randomBytes: PageSpanParts['randomBytes']): string {
  return `00-${hexOf(randomBytes(16))}-${hexOf(randomBytes(8))}-01`;
}

const acts: Readonly<Record<string, string>> = {
  'POST /api/session/guest': 'begin a guest session',
  'POST /api/session/login': 'sign in',
  'POST /api/session/register': 'create an account',
  'POST /api/session/logout': 'sign out',
  'POST /api/cart/lines': 'add to cart',
  'POST /api/orders': 'place the order',
};
const verbs: Readonly<Record<string, string>> = { GET: 'read', POST: 'send', PUT: 'change', PATCH: 'change', DELETE: 'remove' };

/** Words for what the person did. Never an id: only the first part of an address is a name of ours. */
function nameOf(method: string, path: string): string {
  const [address = ''] = path.split('?', 1);
  return acts[`${method} ${address}`] ?? `${verbs[method] ?? 'send'} ${/^\/api\/([a-z]+)/.exec(address)?.[1] ?? 'something'}`;
}
