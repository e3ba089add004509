import { useEffect, useRef } from 'react';
import { useLocation } from 'react-router';

/** After a change of view, moves the focus to the new heading, so that a screen reader announces it. */
export function useFocusOnPageChange() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const view = viewOf(pathname);
  const shown = useRef(view);
  useEffect(() => {
    if (shown.current === view) return;
    shown.current = view;
    window.scrollTo(0, 0);
    const heading = main.current?.querySelector<HTMLElement>('h1');
    heading?.setAttribute('tabindex', '-1');
    (heading ?? main.current)?.focus({ preventScroll: true });
  }, [view]);
  return main;
}

/** A lab takes the place of the list. In the other views the list stays, and the focus with it. */
export const viewOf = (pathname: string): string => (pathname.startsWith('/labs/') ? pathname : (pathname.split('/')[1] ?? ''));

/** For a heading that takes the place of what had the focus. @param wanted not where the page has just been opened */
export function useFocusOnMount<Shown extends HTMLElement>(wanted: boolean) {
  const shown = useRef<Shown>(null);
  const first = useRef(wanted);
  useEffect(() => {
    if (first.current) shown.current?.focus();
  }, []);
  return shown;
}
