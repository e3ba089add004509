/** The failure matrix (libs/contracts/src/failure-matrix.ts) as docs/failures.md shows it. `node e2e/failures/document.ts` writes it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  failureColumns as columns,
  type FailureColumn as Column,
  failureMatrix,
  type Gone,
  type FailureOperation as Operation,
  failureOperations as operations,
  failureOutcomeOf as outcomeOf,
  failureOutcomes as outcomes,
} from '@cloakroom/contracts';

const file = join(import.meta.dirname, '../../docs/failures.md');
const begin = '<!-- The failure matrix: written from libs/contracts/src/failure-matrix.ts -->';
const end = '<!-- End of the failure matrix -->';

const rows = Object.keys(operations) as Operation[];
const columnNames = Object.keys(columns) as Column[];
const isUniform = (gone: Gone): boolean => Object.values(gone.cells).every((cell) => typeof cell === 'string');
const titleOf = ({ title, ways }: Gone): string => `${title} (${ways.join(', ')})`;
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function tableOf(heads: readonly string[], cellsOf: (operation: Operation) => readonly string[]): string {
  const body = rows.map((operation) =>
    line([`${operations[operation].title} (\`${operations[operation].request}\`)`, ...cellsOf(operation)]),
  );
  return [line(['operation', ...heads]), line(['', ...heads].map(() => '---')), ...body].join('\n');
}

/** One table for each part whose loss affects identity, and one for all others. */
export function renderMatrix(): string {
  const text = (gone: Gone, operation: Operation, column: Column): string => outcomes[outcomeOf(gone, operation, column)].text;
  const split = failureMatrix.filter((gone) => !isUniform(gone));
  const uniform = failureMatrix.filter(isUniform);
  const heads = columnNames.map((name) => columns[name]);
  return [
    ...split.map((gone) => {
      const cells = (operation: Operation) => columnNames.map((column) => text(gone, operation, column));
      return `### Gone: ${titleOf(gone)}\n\n${tableOf(heads, cells)}`;
    }),
    `### Gone: a part that identity does not need; the same in every mode, seen before or not`,
    tableOf(uniform.map(titleOf), (operation) => uniform.map((gone) => text(gone, operation, 'known'))),
  ].join('\n\n');
}

export function readDocument(): { readonly text: string; readonly matrix: string } {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for the matrix: "${begin}" and "${end}"`);
  return { text, matrix: text.slice(from + begin.length, to).trim() };
}

/** Removes the marks that a formatter adds. */
export const plain = (markdown: string): string[] =>
  markdown
    .split('\n')
    .map((one) => one.replaceAll(/-{3,}/g, '---').replaceAll(/\s+/g, ' ').trim())
    .filter((one) => one !== '');

if (process.argv[1] === import.meta.filename) {
  const { text, matrix } = readDocument();
  writeFileSync(
    file,
    text.replace(`${begin}\n\n${matrix}`, () => `${begin}\n\n${renderMatrix()}`),
  );
}
