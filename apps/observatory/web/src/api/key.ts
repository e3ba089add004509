/**
 * The key of this start. `npm start` prints it in the fragment of the page's address, which no server is sent. The page keeps it for the tab and
 * takes it out of the address bar, so that nobody reads it over a shoulder or copies it along with a link.
 */

const storageName = 'observatory-key';
const channelName = 'observatory-key';
/** A tab of this page answers within a few milliseconds. A person should not see an empty page for longer. */
const otherTabsTimeoutMs = 400;

export interface Place {
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}

/** @returns the key in the fragment, and the address without it */
export function keyInFragment({ pathname, search, hash }: Place): { readonly key: string; readonly rest: string } | undefined {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const key = parts.get('key');
  if (key === null || key === '') return undefined;
  parts.delete('key');
  const left = parts.toString();
  return { key, rest: `${pathname}${search}${left === '' ? '' : `#${left}`}` };
}

/** Without storage the key lasts as long as the page. */
let remembered: string | undefined;

export function recallKey(): string | undefined {
  try {
    return sessionStorage.getItem(storageName) ?? remembered;
  } catch {
    return remembered;
  }
}

export function rememberKey(key: string): void {
  remembered = key;
  try {
    sessionStorage.setItem(storageName, key);
  } catch {
    // The tab forgets it with the page.
  }
}

export function forgetKey(): void {
  remembered = undefined;
  try {
    sessionStorage.removeItem(storageName);
  } catch {
    // There was none.
  }
}

/** Takes the key out of the address, as long as the page is young: before anything else reads the address. */
export function takeKey(): void {
  const found = keyInFragment(location);
  if (!found) return;
  rememberKey(found.key);
  history.replaceState(history.state, '', found.rest);
}

type Word = { readonly ask: true } | { readonly key: string };

/** Session storage belongs to one tab. A tab that the shop's bar opened asks the other tabs of this origin, which alone hear the channel. */
export function askOtherTabs(): Promise<string | undefined> {
  const channel = new BroadcastChannel(channelName);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  channel.addEventListener('message', ({ data }: MessageEvent<Word>) => 'key' in data && resolve(data.key));
  channel.postMessage({ ask: true } satisfies Word);
  setTimeout(() => resolve(undefined), otherTabsTimeoutMs);
  return promise.finally(() => channel.close());
}

/** Tells a new tab of this page the key. */
export function answerOtherTabs(): void {
  const channel = new BroadcastChannel(channelName);
  channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    const key = recallKey();
    if ('ask' in data && key !== undefined) channel.postMessage({ key } satisfies Word);
  });
}
