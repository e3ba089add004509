/** A browser for the tests: the system's own, else a package that root installs on Debian, else Playwright's own download. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../stack/folders.ts';
import { aptInstall, findOnPath, installCommand, mayInstall } from '../native/debian.ts';
import type { Found, Say } from '../native/debian.ts';
import { runCommand } from './tools.ts';

export async function obtainChromium(say: Say): Promise<Found<string>> {
  const there = findChromium();
  if (there !== undefined) return { ok: true, value: there };
  let why = 'no Chromium on this machine';
  if (mayInstall()) {
    // Some systems have no package of the headless shell.
    let failure: string | undefined;
    for (const name of ['chromium-headless-shell', 'chromium']) {
      failure = await aptInstall([name], say);
      const installed = findChromium();
      if (installed !== undefined) return { ok: true, value: installed };
    }
    why = `Chromium could not be installed: ${failure ?? 'the package brought none'}`;
  }
  say('fetching Chromium with Playwright');
  const code = await runCommand(join(repository, 'node_modules', '.bin', 'playwright'), ['install', 'chromium'], {});
  const fetched = code === 0 ? findChromium() : undefined;
  if (fetched !== undefined) return { ok: true, value: fetched };
  return {
    ok: false,
    why: `${why}, and Playwright could not fetch one`,
    remedy: installCommand({ apt: 'chromium', brew: '--cask chromium' }),
  };
}

export function findChromium(): string | undefined {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined && existsSync(named)) return named;
  // The headless shell comes first: the same engine without windows takes two thirds of the processor time.
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
  return names.map((name) => findOnPath(name)).find((path) => path !== undefined) ?? playwrightsOwn();
}

/** Resolved from e2e, which depends on Playwright. */
function playwrightsOwn(): string | undefined {
  const script = "import { chromium } from '@playwright/test'; console.log(chromium.executablePath());";
  const answer = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: join(repository, 'e2e'), encoding: 'utf8' });
  const path = answer.stdout?.trim() ?? '';
  return path !== '' && existsSync(path) ? path : undefined;
}
