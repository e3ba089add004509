/** Comments of finished rooms are written in plain English: short sentences that begin with their subject. */
import type { Comment, SourceFile } from './sources.ts';
import type { Violation } from './tree.ts';

/** Folders whose comments are finished. The list only grows: write a new comment as the rule wants it, and add the folders that you finish. */
export const finishedRooms: readonly string[] = [
  'apps/auth',
  'apps/cart',
  'apps/catalog/src',
  'apps/gateway',
  'apps/orders/src',
  'apps/profile/src',
  'e2e',
  'infra',
  'labs',
  'libs/contracts/src',
  'libs/event-log/src',
  'libs/identity/src',
  'libs/mesh/src',
  'libs/platform/src',
  'libs/session/src',
  'libs/testing/src',
];

const wordCountMax = 30;
const lateSubject = /^(?:Of|What|Who)$/;

export function checkPlainEnglish(sources: readonly SourceFile[], rooms: readonly string[] = finishedRooms): Violation[] {
  return sources
    .filter(({ path }) => rooms.some((room) => path.startsWith(`${room}/`)))
    .flatMap(({ path, comments }) => comments.flatMap(sentencesOf).flatMap((sentence) => judge(sentence, path)));
}

interface Sentence {
  readonly line: number;
  readonly words: readonly string[];
}

function judge({ line, words }: Sentence, path: string): Violation[] {
  const beginning = words.slice(0, 5).join(' ');
  const tooLong = words.length > wordCountMax;
  const late = lateSubject.test(words[0] ?? '');
  return [
    ...(tooLong ? [{ path, line, message: `a sentence of ${words.length} words, ${wordCountMax} at most: "${beginning} ..."` }] : []),
    ...(late ? [{ path, line, message: `begin with the subject, not with "${beginning} ..."` }] : []),
  ];
}

interface Word {
  readonly line: number;
  readonly text: string;
}

/** A tag of JSDoc and its text are no sentence. A name of an npm scope is no tag. */
const tag = /(?:^|\s)@(?:param|returns?|throws|property|template|see|example|deprecated|default|type)\b.*$/;
/** A directive is for a tool; its reason is for people. */
const directive = /^\s*(?:oxlint|eslint|@ts|@vite|v8)[- ].*?(?: -- |$)/;
const listItem = /^\s*(?:[-*]|\d+\.)\s+/;

/** Splits a comment into paragraphs, and those into sentences. Drawings, tables and code are left out. */
export function sentencesOf({ line: firstLine, lines }: Comment): Sentence[] {
  const paragraphs: Word[][] = [[]];
  let skips: 'tag' | 'drawing' | 'code' | undefined;
  let afterBlank = false;
  for (const [index, raw] of withoutSpans(lines).entries()) {
    const text = raw.replace(directive, '');
    if (/^\s*```/.test(text)) skips = skips === 'code' ? undefined : 'code';
    if (text.trim() === '') {
      if (skips === 'tag') skips = undefined;
      paragraphs.push([]);
    } else if (skips !== 'code' && skips !== 'tag') {
      const isDrawing = /^ {3,}\S/.test(text) && (afterBlank || skips === 'drawing');
      skips = isDrawing ? 'drawing' : undefined;
      if (listItem.test(text)) paragraphs.push([]);
      if (!isDrawing && !text.trimStart().startsWith('|')) paragraphs.at(-1)!.push(...wordsOf(text.replace(tag, ''), firstLine + index));
      if (tag.test(text)) skips = 'tag';
    }
    afterBlank = text.trim() === '';
  }
  return paragraphs.flatMap(sentencesIn);
}

/** Code in backticks, links and addresses are a word each. */
function withoutSpans(lines: readonly string[]): string[] {
  const asOneWord = (span: string): string => `code${span.replace(/[^\n]/g, '')}`;
  return lines
    .join('\n')
    .replace(/`[^`]+`|\{@[^}]*\}/g, asOneWord)
    .replace(/https?:\/\/\S+?(?=[.,;:)]*(?:\s|$))/g, 'address')
    .split('\n');
}

const wordsOf = (text: string, line: number): Word[] =>
  text
    .replace(listItem, '')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .map((word) => ({ line, text: word }));

const sentenceEnd = /[.!?]["')\]’”]*$/;
const abbreviation = /^\W*(?:e\.g|i\.e|cf|vs|approx|no)\.$/i;

function sentencesIn(words: readonly Word[]): Sentence[] {
  const sentences: { line: number; words: string[] }[] = [];
  let ended = true;
  for (const { line, text } of words) {
    if (ended) sentences.push({ line, words: [] });
    sentences.at(-1)!.words.push(text.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''));
    ended = sentenceEnd.test(text) && !abbreviation.test(text);
  }
  return sentences;
}
