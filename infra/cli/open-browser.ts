/** `npm start -- --open`: the machine's own way to show a page. Where there is none the URL that start prints is all. */
import { spawn } from 'node:child_process';
import { findOnPath } from '../native/debian.ts';

export interface Desktop {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
}

/** @returns whether something was asked to show it */
export function openBrowser(url: string, { platform, env }: Desktop = process): boolean {
  const opener = openerOf(platform, env);
  if (opener === undefined) return false;
  const [command, ...args] = opener;
  // It may stay as long as its browser does: neither its end nor its failure is ours.
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
  return true;
}

function openerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  // Without a screen xdg-open would look for a browser in text, and take the terminal.
  const hasScreen = ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'].some((name) => (env[name] ?? '') !== '');
  const command = hasScreen ? findOnPath('xdg-open') : undefined;
  return command === undefined ? undefined : [command];
}
