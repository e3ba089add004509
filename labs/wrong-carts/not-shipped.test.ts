import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../../infra/stack/folders.ts';
import { wrongModels } from './model.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const filesOf = (pattern: string): string[] => globSync(pattern, { cwd: repository });

/** Each model as the exercise names it, and as its file names what it exports. A union of types is no wrong cart. */
const names = wrongModels.flatMap((name) =>
  name === 'union' ? [] : [name, name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())],
);
const wrong = new RegExp(`\\b(?:${names.join('|')}|CART_MODEL|wrong-?carts?|loses things on purpose)\\b|['/]union['.]|EXERCISE`, 'i');
const naming = (paths: readonly string[]): string[] => paths.filter((path) => wrong.test(`${path}\n${read(path)}`));

it('finds every wrong cart where they are', () => {
  const models = filesOf('labs/wrong-carts/*.ts').filter((path) => wrongModels.some((name) => basename(path) === `${name}.ts`));
  expect(models).toHaveLength(wrongModels.length);
  expect(naming(models)).toEqual(models);
});

it('is nowhere in the source of cart', () => {
  const sources = filesOf('apps/cart/src/**/*.ts');
  expect(sources.length).toBeGreaterThan(50);
  expect(naming(sources)).toEqual([]);
});

it('is nowhere in the build of cart', () => {
  // The compiler leaves what it made of a file that has gone since; an image is built from nothing.
  const sourceOf = (path: string): string => path.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
  const built = filesOf('apps/cart/dist/**/*.js').filter((path) => existsSync(join(repository, sourceOf(path))));
  expect(built.length).toBeGreaterThan(30);
  expect(naming(built)).toEqual([]);
});

it('is nowhere in the image, which gets the manifest of the labs alone', () => {
  const lines = [
    ...read('infra/Dockerfile')
      .split('\n')
      .filter((line) => line.startsWith('COPY ')),
    ...read('.dockerignore').split('\n'),
  ];
  expect(lines.filter((line) => /\blabs\b/.test(line))).toEqual(['COPY labs/package.json labs/', '!labs/package.json']);
  expect(lines.filter((line) => /^COPY (?:\S+ )*\.\/? /.test(line))).toEqual([]);
});
