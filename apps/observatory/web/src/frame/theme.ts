/** Light, dark, or the system's choice. `public/boot.js` applies it before the first paint. */
import { useState } from 'react';

export const themes = ['light', 'dark', 'system'] as const;
export type Theme = (typeof themes)[number];

const storageName = 'theme';

function recall(): Theme {
  try {
    const stored = localStorage.getItem(storageName);
    return themes.find((theme) => theme === stored) ?? 'system';
  } catch {
    return 'system';
  }
}

export function useTheme(): { readonly theme: Theme; readonly choose: (theme: Theme) => void } {
  const [theme, setTheme] = useState(recall);
  const choose = (next: Theme): void => {
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
    try {
      localStorage.setItem(storageName, next);
    } catch {
      // It lasts as long as the page.
    }
    setTheme(next);
  };
  return { theme, choose };
}
