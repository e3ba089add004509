/** Light, dark, or the system's choice. `public/boot.js` applies it before the first paint. This file follows it while the page lives. */
import { useEffect } from 'react';
import { remember, useRemembered } from './remembered.ts';

export const themes = ['light', 'dark', 'system'] as const;
export type Theme = (typeof themes)[number];

export const themeOf = (remembered: string | undefined): Theme => themes.find((theme) => theme === remembered) ?? 'system';

export function useTheme(): { readonly theme: Theme; readonly choose: (theme: Theme) => void } {
  const theme = themeOf(useRemembered('theme'));
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return { theme, choose: (next) => remember('theme', next) };
}
