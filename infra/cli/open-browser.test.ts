import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openBrowser } from './open-browser.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cloakroom-open-'));
  writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$1" > ${folder}/part && mv ${folder}/part ${folder}/shown\n`, {
    mode: 0o755,
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function stubPath(path: string) {
  vi.stubEnv('PATH', `${path}:/usr/bin:/bin`);
}

it('shows the page by xdg-open where there is a screen', async () => {
  stubPath(folder);
  expect(openBrowser('http://localhost:4000', { platform: 'linux', env: { DISPLAY: ':0' } })).toBe(true);
  await vi.waitFor(() => expect(readFileSync(join(folder, 'shown'), 'utf8')).toBe('http://localhost:4000'));
});

it('stays quiet without a screen or without an opener', () => {
  stubPath(folder);
  expect(openBrowser('http://localhost:4000', { platform: 'linux', env: {} })).toBe(false);
  vi.stubEnv('PATH', '/nowhere');
  expect(openBrowser('http://localhost:4000', { platform: 'linux', env: { DISPLAY: ':0' } })).toBe(false);
  expect(existsSync(join(folder, 'shown'))).toBe(false);
});

it('outlives an opener that cannot be started', async () => {
  vi.stubEnv('PATH', '/nowhere');
  const failed = vi.fn<(error: unknown) => void>();
  process.once('uncaughtException', failed);
  expect(openBrowser('http://localhost:4000', { platform: 'darwin', env: {} })).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  process.removeListener('uncaughtException', failed);
  expect(failed).not.toHaveBeenCalled();
});
