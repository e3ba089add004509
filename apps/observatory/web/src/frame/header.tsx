import { useEffect, useRef } from 'react';
import { NavLink, useLocation } from 'react-router';
import { useLive } from '../api/live.ts';
import { Term } from '../words/term.tsx';
import { useTheme, type Theme } from './theme.ts';
import { traineeId } from '../api/trainee.ts';

const views = [
  ['/tour', 'Tour'],
  ['/requests', 'Requests'],
  ['/map', 'Map'],
  ['/sessions', 'Session'],
  ['/carts', 'Cart'],
  ['/places', 'Places'],
  ['/faults', 'Faults'],
  ['/forgeries', 'Forgeries'],
  ['/labs', 'Labs'],
] as const;

export function Header() {
  const { stack } = useLive();
  const shop = stack?.gateways[0];
  const nav = useShownView();
  return (
    <header className="site-header">
      <div className="top">
        <NavLink to="/requests" className="brand" aria-label="Observatory, start">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <span>Observatory</span>
        </NavLink>
        <nav aria-label="Views" ref={nav}>
          <ul>
            {views.map(([path, name]) => (
              <li key={path}>
                <NavLink to={path}>{name}</NavLink>
              </li>
            ))}
          </ul>
        </nav>
        <div className="you">
          <span>
            <Term word="trainee">trainee</Term> <code>{traineeId()}</code>
          </span>
          {shop !== undefined && (
            <a href={shop} target="_blank" rel="noreferrer">
              shop <span aria-hidden="true">↗</span>
            </a>
          )}
          <ThemeSwitch />
        </div>
      </div>
    </header>
  );
}

/** Where the window is narrow, the line of views scrolls sideways. The view that is open comes into its middle. */
function useShownView() {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const view = pathname.split('/')[1];
  useEffect(() => {
    const shown = nav.current?.querySelector<HTMLElement>('a.active');
    if (nav.current && shown)
      nav.current.scrollLeft = shown.offsetLeft - nav.current.offsetLeft - (nav.current.clientWidth - shown.clientWidth) / 2;
  }, [view]);
  return nav;
}

const names: Readonly<Record<Theme, string>> = { light: 'Light', dark: 'Dark', system: 'System' };

function ThemeSwitch() {
  const { theme, choose } = useTheme();
  return (
    <label className="theme-switch">
      <span className="visually-hidden">Theme</span>
      <select value={theme} onChange={({ target }) => choose(target.value as Theme)}>
        {Object.entries(names).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
