import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchTree } from './watch-tree.ts';

let root: string;
let ended: AbortController;
let saved: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cloakroom-watch-'));
  mkdirSync(join(root, 'a/b'), { recursive: true });
  writeFileSync(join(root, 'a/b/old.ts'), '');
  ended = new AbortController();
  saved = [];
  watchTree(root, (path) => saved.push(path), ended.signal);
});
afterEach(() => {
  ended.abort();
  rmSync(root, { recursive: true });
});
const tells = (path: string) => vi.waitFor(() => expect(saved).toContain(path), { timeout: 10_000 });

it('a file that is written is told of, and one that an editor renames over it, each time', async () => {
  writeFileSync(join(root, 'a/b/old.ts'), '1');
  await tells('a/b/old.ts');
  for (const text of ['2', '3', '4']) {
    saved = [];
    writeFileSync(join(root, 'a/b/.old.swp'), text);
    renameSync(join(root, 'a/b/.old.swp'), join(root, 'a/b/old.ts'));
    await tells('a/b/old.ts');
  }
});

it('a file in a new folder is told of, and later ones there', async () => {
  mkdirSync(join(root, 'a/new'));
  writeFileSync(join(root, 'a/new/first.ts'), '');
  await tells('a/new/first.ts');
  saved = [];
  writeFileSync(join(root, 'a/new/second.ts'), '');
  await tells('a/new/second.ts');
});

it('a folder that is deleted and comes back is watched again', async () => {
  rmSync(join(root, 'a/b'), { recursive: true });
  await tells('a/b');
  mkdirSync(join(root, 'a/b'));
  writeFileSync(join(root, 'a/b/again.ts'), '');
  await tells('a/b/again.ts');
  saved = [];
  writeFileSync(join(root, 'a/b/again.ts'), '1');
  await tells('a/b/again.ts');
});
