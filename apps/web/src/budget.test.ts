/** What a first visit costs, measured on a real build. It is built here, so that a forgotten `vite build` cannot make it pass. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** For the first page to be drawn and to work. */
const criticalBytesMax = 150_000;
/** With all that the page then fetches by itself: suggestions, drawer, popovers. */
const firstLoadBytesMax = 250_000;

type Manifest = Readonly<Record<string, { readonly file: string; readonly isEntry?: boolean; readonly imports?: readonly string[] }>>;

const built = mkdtempSync(join(tmpdir(), 'cloakroom-web-'));
let manifest: Manifest;

beforeAll(() => {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js');
  // An environment of its own: this process says that it is a test, which would build the slow, talkative React.
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'error', '--manifest', '--outDir', built], {
    cwd: join(import.meta.dirname, '..'),
    env: { NODE_ENV: 'production' },
  });
  manifest = JSON.parse(readFileSync(join(built, '.vite', 'manifest.json'), 'utf8')) as Manifest;
}, 120_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

/** A chunk and all that it imports before it runs. */
function withImports(names: readonly string[], seen = new Set<string>()): Set<string> {
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    withImports(manifest[name]?.imports ?? [], seen);
  }
  return seen;
}

const gzipped = (names: ReadonlySet<string>): number =>
  [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(built, manifest[name]?.file ?? name))).length, 0);

it('draws the home page from at most 150 kB of gzipped script, and fetches at most 250 kB in all', () => {
  const entry = Object.keys(manifest).filter((name) => manifest[name]?.isEntry === true);
  const critical = withImports(entry);
  const all = withImports([...entry, 'src/frame/search-box.tsx', 'src/cart/cart-drawer.tsx', 'src/components/popover.tsx']);
  expect(entry).toHaveLength(1);
  expect(all.size, 'the parts that come later are parts of their own').toBeGreaterThan(critical.size + 2);
  console.log(`first load: ${gzipped(critical)} bytes of gzipped script to draw the home page, ${gzipped(all)} in all`);
  expect(gzipped(critical)).toBeLessThanOrEqual(criticalBytesMax);
  expect(gzipped(all)).toBeLessThanOrEqual(firstLoadBytesMax);
});

it('brings no inline script or style, and nothing from elsewhere', () => {
  const page = readFileSync(join(built, 'index.html'), 'utf8');
  expect(page).toContain('<script src="/boot.js">');
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>/);
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|https?:\/\//);
});
