/** Remembers small choices in this browser. If storage is full or forbidden, a choice lasts as long as the page. */
import { useSyncExternalStore } from 'react';

type Key = 'theme' | 'session-bar';

const forgotten = new Map<Key, string>();
const listeners = new Set<() => void>();

export function recall(key: Key): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return forgotten.get(key);
  }
}

export function remember(key: Key, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    forgotten.set(key, value);
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // Another tab made a choice.
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

export function useRemembered(key: Key): string | undefined {
  return useSyncExternalStore(subscribe, () => recall(key));
}
