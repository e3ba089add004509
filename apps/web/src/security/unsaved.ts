/** Recovery codes that are shown and not saved yet: leaving would lose them for ever. */
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

/** For as long as the component that shows them is there. The browser asks before a reload or the end of the tab. */
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
