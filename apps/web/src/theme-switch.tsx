import { Icon } from './icons.tsx';
import { LazyPopover } from './lazy-popover.tsx';
import { themes, useTheme, type Theme } from './theme.ts';

const names: Readonly<Record<Theme, string>> = { light: 'Light', dark: 'Dark', system: 'Like the system' };

export function ThemeSwitch() {
  const { theme, choose } = useTheme();
  return (
    <LazyPopover button={<Icon name={theme} />} buttonName={`Theme: ${names[theme]}`} buttonClass="action" title="Theme">
      {() => (
        <fieldset className="theme-choices">
          <legend>Theme</legend>
          {themes.map((one) => (
            <label key={one}>
              <input type="radio" name="theme" checked={one === theme} onChange={() => choose(one)} />
              <Icon name={one} />
              {names[one]}
            </label>
          ))}
        </fieldset>
      )}
    </LazyPopover>
  );
}
