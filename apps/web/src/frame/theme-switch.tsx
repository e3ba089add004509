import { useEffect, useRef } from 'react';
import { Icon } from '../components/icons.tsx';
import { LazyPopover } from '../components/lazy-popover.tsx';
import { themes, useTheme, type Theme } from './theme.ts';

const names: Readonly<Record<Theme, string>> = { light: 'Light', dark: 'Dark', system: 'Like the system' };

export function ThemeSwitch() {
  const { theme } = useTheme();
  return (
    <LazyPopover button={<Icon name={theme} />} buttonName={`Theme: ${names[theme]}`} buttonClass="action" title="Theme">
      {() => <ThemeChoices />}
    </LazyPopover>
  );
}

/** The present choice takes the focus, so that the arrows work at once. It waits a frame, because the popover first takes the focus itself. */
function ThemeChoices() {
  const { theme, choose } = useTheme();
  const choices = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    const frame = requestAnimationFrame(() => choices.current?.querySelector<HTMLElement>('input:checked')?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <fieldset ref={choices} className="theme-choices">
      <legend>Theme</legend>
      {themes.map((one) => (
        <label key={one}>
          <input type="radio" name="theme" checked={one === theme} onChange={() => choose(one)} />
          <Icon name={one} />
          {names[one]}
        </label>
      ))}
    </fieldset>
  );
}
