import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { edits, manifestOf } from './edits.ts';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
const linesOf = (text: string): string[] => text.split('\n');

it.each(Object.entries(edits))('a new service is named in %s, and nothing that stands there is lost', (path, edit) => {
  const before = read(path);
  const after = edit(before, 'wishlist');
  expect(after).toContain('wishlist');
  // Lists of one line and of JSON grow in place, so words are compared.
  const words = (text: string) => text.match(/[\w./@-]+/g)!;
  expect(words(before).filter((word) => !words(after).includes(word))).toEqual([]);
});

const byPattern = Object.entries(edits).filter(([path]) => /(?:ports|embedded|passports)\.ts$|Dockerfile$|tests\.json$/.test(path));
it.each(byPattern)('an edit of %s says so where the file looks otherwise than it expects', (_path, edit) => {
  expect(() => edit('another text', 'wishlist')).toThrow(/mend tools\/service\/edits.ts/);
});

it('each service gets ports of its own, until storage has the next ones', () => {
  const place = edits['infra/stack/stack.ports.ts']!;
  let text = read('infra/stack/stack.ports.ts');
  const words = ['one', 'two', 'three', 'four', 'five'];
  for (const word of words) text = place(text, word);
  expect(linesOf(text).filter((line) => /^ {2}(?:one|five): \d+,$/.test(line))).toEqual(['  one: 160,', '  five: 200,']);
  expect(() => place(text, 'six')).toThrow(/every ten of ports is taken/);
});

it('a new service takes the versions of a service that is there, and none of its own packages', () => {
  const { name, dependencies } = JSON.parse(manifestOf('wishlist', read('apps/catalog/package.json'))) as {
    readonly name: string;
    readonly dependencies: Record<string, string>;
  };
  const catalog = (JSON.parse(read('apps/catalog/package.json')) as { dependencies: Record<string, string> }).dependencies;
  expect(name).toBe('@cloakroom/wishlist');
  expect(dependencies['@nestjs/core']).toBe(catalog['@nestjs/core']);
  expect(Object.keys(dependencies)).not.toContain('minisearch');
});
