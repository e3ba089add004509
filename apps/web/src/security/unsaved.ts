/** Counts recovery codes that are shown but not saved. A person who leaves would lose them for ever. */
import { useEffect, useSyncExternalStore } from 'react';

let shown = 0;
const listeners = new Set<() => void>();
const change = (by: 1 | -1): void => {
  shown += by;
  for (const listener of listeners) listener();
};
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const askBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

/** While the component with the codes is shown, the browser asks before a reload or before the tab closes. */
export function useUnsavedCodes(): void {
  useEffect(() => {
    change(1);
    window.addEventListener('beforeunload', askBeforeLeaving);
    return () => {
      change(-1);
      window.removeEventListener('beforeunload', askBeforeLeaving);
    };
  }, []);
}

export const useHasUnsavedCodes = (): boolean => useSyncExternalStore(subscribe, () => shown > 0);
