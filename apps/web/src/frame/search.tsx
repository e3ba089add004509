/**
 * The search on every page. At first it is a plain form, which works as soon as it is drawn. The combobox with suggestions replaces it once it is
 * loaded, and keeps the typed text.
 */
import { useCallback, useEffect, useRef, useState, type ComponentType, type FormEvent } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { textOf } from '../components/form.ts';
import { Icon } from '../components/icons.tsx';
import type { SearchBoxProps } from './search-box.tsx';

const loadSearchBox = () => import('./search-box.tsx');

/** Safari has no requestIdleCallback. There a wait keeps the first paint free. */
const whenIdle = (run: () => void): void => {
  if ('requestIdleCallback' in window) requestIdleCallback(run, { timeout: 2_000 });
  else setTimeout(run, 500);
};

export const searchPath = (query: string): string => `/search?${new URLSearchParams({ query }).toString()}`;

export function Search() {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [params] = useSearchParams();
  const shown = pathname === '/search' ? (params.get('query') ?? '') : '';
  const input = useRef<HTMLInputElement>(null);
  const [loaded, setLoaded] = useState<{ readonly Box: ComponentType<SearchBoxProps> }>();
  const [handover, setHandover] = useState<{ readonly typed: string; readonly hadFocus: boolean }>();
  const forgetHandover = useCallback(() => setHandover(undefined), []);
  const load = (): void => {
    loadSearchBox().then(
      ({ default: Box }) => {
        const plain = input.current;
        if (plain !== null) setHandover({ typed: plain.value, hadFocus: document.activeElement === plain });
        setLoaded((old) => old ?? { Box });
      },
      // The plain form still works.
      () => undefined,
    );
  };
  useEffect(() => whenIdle(load), []);
  const search = (query: string): void => void (query.trim() !== '' && navigate(searchPath(query.trim())));
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    search(textOf(new FormData(event.currentTarget), 'query'));
  };
  return (
    <search className="search">
      {loaded ? (
        <loaded.Box
          key={shown}
          initialText={handover?.typed ?? shown}
          takesFocus={handover?.hadFocus ?? false}
          onTaken={forgetHandover}
          onSearch={search}
        />
      ) : (
        <form onSubmit={submit} className="search-field">
          <Icon name="search" />
          <input
            ref={input}
            name="query"
            aria-label="Search products"
            placeholder="Search coats, bags, boots…"
            defaultValue={shown}
            maxLength={100}
            autoComplete="off"
            onFocus={load}
          />
        </form>
      )}
    </search>
  );
}
