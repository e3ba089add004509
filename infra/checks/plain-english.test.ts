import { expect, it } from 'vitest';
import { checkPlainEnglish } from './plain-english.ts';
import { readSources } from './sources.ts';
import { plantedTree } from './tree.ts';

const words = (count: number) => Array.from({ length: count }, (_, index) => `w${index}`).join(' ');
const judged = (text: string, path = 'apps/cart/src/a.ts') =>
  checkPlainEnglish(readSources(plantedTree({ [path]: text })), ['apps/cart/src']).map(({ line, message }) => `${line}: ${message}`);

it.each([
  ['a long sentence', `/** ${words(31)}. Short. */`, '1: a sentence of 31 words, 30 at most: "w0 w1 w2 w3 w4 ..."'],
  [
    'a sentence over several lines',
    `/**\n * Short. ${words(16)}\n * ${words(15)}\n */`,
    '2: a sentence of 31 words, 30 at most: "w0 w1 w2 w3 w4 ..."',
  ],
  ['line comments that go on', `// ${words(16)}\n// ${words(15)}\nx();`, '1: a sentence of 31 words, 30 at most: "w0 w1 w2 w3 w4 ..."'],
  ['"Of" at the beginning', '/** Of a cart that waits. */', '1: begin with the subject, not with "Of a cart that waits ..."'],
  ['"What" in the second sentence', '// It waits. What it waits for', '1: begin with the subject, not with "What it waits for ..."'],
  ['"Who" in a list', '/**\n * Roles:\n *\n * - Who may read\n */', '4: begin with the subject, not with "Who may read ..."'],
  ['a directive with such a reason', '// oxlint-disable-next-line no-var -- Of old', '1: begin with the subject, not with "Of old ..."'],
])('refuses %s', (_, text, message) => expect(judged(text)).toEqual([message]));

it.each([
  ['30 words', `/** ${words(30)}. ${words(30)} */`],
  ['"of", "what" and "who" inside', '/** The size of a cart: what it holds, and who may read it. */'],
  ['code and addresses as one word each', `/** ${words(28)} \`${words(20)}\` https://example.com/a.b?c=d. Next one. */`],
  ['code over two lines', `/**\n * ${words(29)} \`${words(10)}\n * ${words(10)}\`.\n */`],
  ['tags, which are no sentences', `/**\n * Adds.\n *\n * @param line ${words(31)}\n *   Of it all\n * @returns Of it\n */`],
  ['a tag behind a sentence', `/** Adds a line. @returns what ${words(31)} */`],
  [
    'drawings, tables and code',
    `/**\n * The way:\n *\n *    Of ${words(31)}\n *    Who ${words(31)}\n *\n * | Of | ${words(31)} |\n *\n * \`\`\`\n * Of ${words(31)}\n * \`\`\`\n */`,
  ],
  ['abbreviations, which end no sentence', '/** Stores, e.g. Of Redis. */'],
  ['a comment behind each line of code', `f(); // ${words(16)}\ng(); // ${words(16)}`],
  ['text that is no comment', `export const x = 'Of a cart';`],
])('accepts %s', (_, text) => expect(judged(text)).toEqual([]));

it('judges finished rooms alone', () => {
  expect(judged('/** Of a cart. */', 'apps/cart/test/a.ts')).toEqual([]);
  expect(judged('/** Of a cart. */', 'apps/cart/src/model/a.ts')).toHaveLength(1);
});
