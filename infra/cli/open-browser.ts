/** `npm start -- --open`: opens a page in the machine's own way. Where the machine has none, the person uses the URL that start prints. */
import { spawn } from 'node:child_process';
import { findOnPath } from '../native/debian.ts';

export interface Desktop {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
}

/** @returns whether a program was asked to open the page */
export function openBrowser(url: string, { platform, env }: Desktop = process): boolean {
  const opener = openerOf(platform, env);
  if (opener === undefined) return false;
  const [command, ...args] = opener;
  // The opener may live as long as its browser. Its end and its failure do not concern the launcher.
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
  return true;
}

function openerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  // Without a screen xdg-open would look for a text browser, and take the terminal.
  const hasScreen = ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'].some((name) => (env[name] ?? '') !== '');
  const command = hasScreen ? findOnPath('xdg-open') : undefined;
  return command === undefined ? undefined : [command];
}
