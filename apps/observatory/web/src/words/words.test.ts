import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { wordOfDecision, words } from './words.ts';

const repository = join(import.meta.dirname, '..', '..', '..', '..', '..');

it('names for each word a file that exists', () => {
  const missing = Object.values(words).filter(({ file }) => !existsSync(join(repository, file)));
  expect(missing.map(({ term, file }) => `${term}: ${file}`)).toEqual([]);
});

it('explains each word in one sentence of at most 30 words', () => {
  const long = Object.values(words).filter(
    ({ meaning }) => meaning.split(' ').length > 30 || !/^[^.]+\.$/.test(meaning.replaceAll('60 s at', '')),
  );
  expect(long.map(({ term }) => term)).toEqual([]);
});

it('explains a decision by its first word, and any other as a decision', () => {
  expect(wordOfDecision('hit')).toBe('hit');
  expect(wordOfDecision('degraded (auth is silent)')).toBe('degraded');
  expect(wordOfDecision('passport verified')).toBe('passport');
  expect(wordOfDecision('signature of auth on the event')).toBe('decision');
});
