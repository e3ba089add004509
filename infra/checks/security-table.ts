/** docs/security.md is held to the tests: every requirement and attack has its row, and every test that a row names is there, in that file. */
import type { Tree, Violation } from './tree.ts';

const path = 'docs/security.md';
const verdicts = new Set(['met', 'partly', 'not met', 'not applicable']);

const range = (chapter: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${chapter}.${at + 1}`);
/** OWASP ASVS 5.0.0, whole sections, and single requirements of neighbours. */
export const requirements: readonly string[] = [
  ...range('3.3', 5),
  ...range('3.4', 8),
  ...range('3.5', 8),
  '4.1.3',
  ...range('4.2', 5),
  ...range('7.1', 3),
  ...range('7.2', 4),
  ...range('7.3', 2),
  ...range('7.4', 5),
  ...range('7.5', 3),
  ...range('7.6', 2),
  '8.3.2',
  '8.3.3',
  ...range('9.1', 3),
  ...range('9.2', 4),
];

/** @param expectedRows what `node labs/attacks/table.ts` prints */
export function checkSecurityTable(tree: Tree, expectedRows: readonly string[]): Violation[] {
  if (!tree.files.includes(path)) return [{ path, message: 'is missing' }];
  const lines = tree.read(path).split('\n');
  const rows = new Map(lines.map((line) => [cellsOf(line)[0] ?? '', cellsOf(line)] as const).filter(([id]) => id !== ''));
  const missing = requirements.filter((id) => !rows.has(id)).map((id) => ({ path, message: `has no row for ASVS ${id}` }));
  const unjudged = [...rows]
    .filter(([id]) => /^\d+\.\d+\.\d+$/.test(id) || id.startsWith('RFC 9700'))
    .flatMap(([id, [, , verdict = '', evidence = '']]) => judgeRow(id, verdict, evidence));
  const found = new Set(lines.map((line) => cellsOf(line).join('|')));
  const drifted = expectedRows
    .filter((row) => !found.has(cellsOf(row).join('|')))
    .map((row) => ({ path, message: `must have this row (labs/attacks/catalogue.ts): ${row}` }));
  return [...missing, ...unjudged, ...drifted, ...lines.flatMap((line, index) => unnamed(tree, line, index + 1))];
}

const cellsOf = (line: string): string[] =>
  line.startsWith('|')
    ? line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    : [];

function judgeRow(id: string, verdict: string, evidence: string): Violation[] {
  if (!verdicts.has(verdict)) return [{ path, message: `${id}: the verdict is one of ${[...verdicts].join(', ')}` }];
  const quotes = /"[^"]+" in `[^`]+`/.test(evidence);
  if (verdict === 'met' && !quotes && !evidence.includes('`docs/')) return [{ path, message: `${id} is met by nothing that is named` }];
  return evidence === '' ? [{ path, message: `${id} gives no reason` }] : [];
}

/** `"title", "title" in `file``: each title stands in that file. */
function unnamed(tree: Tree, line: string, number: number): Violation[] {
  return [...line.matchAll(/((?:"[^"]+"(?:, | and )?)+) in `([^`]+)`/g)].flatMap(([, titles = '', file = '']) => {
    if (!tree.files.includes(file)) return [{ path, line: number, message: `names ${file}, which does not exist` }];
    const text = tree.read(file);
    return [...titles.matchAll(/"([^"]+)"/g)]
      .map((match) => match[1]!)
      .filter((title) => !text.includes(title) && !text.includes(title.replaceAll("'", String.raw`\'`)))
      .map((title) => ({ path, line: number, message: `quotes "${title}", which no test of ${file} is called` }));
  });
}
