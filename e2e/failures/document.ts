/**
 * The failure matrix (libs/contracts/src/failure-matrix.ts) and the ocean's table (e2e/failures/ocean-matrix.ts) as docs/failures.md shows them.
 * `node e2e/failures/document.ts` writes them there.
 */
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
import { type OceanColumn, oceanColumns, oceanFaults, oceanOutcomes, oceanRows } from './ocean-matrix.ts';

const file = join(import.meta.dirname, '../../docs/failures.md');
/** The marks around each table. */
const places = {
  matrix: ['<!-- The failure matrix: written from libs/contracts/src/failure-matrix.ts -->', '<!-- End of the failure matrix -->'],
  ocean: ['<!-- The ocean: written from e2e/failures/ocean-matrix.ts -->', '<!-- End of the ocean -->'],
} as const;
type Table = keyof typeof places;

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
function renderMatrix(): string {
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

/** One line for each operation, and one for each way in which the ocean can be broken. */
function renderOcean(): string {
  const heads = Object.values(oceanColumns);
  const faults = oceanFaults.map(({ title, cutOff }) => line([title, cutOff.length === 2 ? 'eu and us' : cutOff.join()]));
  const body = Object.values(oceanRows).map(({ title, operation, ...cells }) =>
    line([
      `${title} (\`${operations[operation].request}\`)`,
      ...(Object.keys(oceanColumns) as OceanColumn[]).map((column) => oceanOutcomes[cells[column]].text),
    ]),
  );
  return [
    [line(['the ocean is', 'cannot ask the other side']), line(['---', '---']), ...faults].join('\n'),
    [line(['operation', ...heads]), line(['', ...heads].map(() => '---')), ...body].join('\n'),
  ].join('\n\n');
}

const rendered: Readonly<Record<Table, () => string>> = { matrix: renderMatrix, ocean: renderOcean };
export const tables = Object.keys(places) as readonly Table[];
export const render = (table: Table): string => rendered[table]();

export function readDocument(table: Table): { readonly text: string; readonly shown: string } {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = places[table];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for a table: "${begin}" and "${end}"`);
  return { text, shown: text.slice(from + begin.length, to).trim() };
}

/** Removes the marks that a formatter adds. */
export const plain = (markdown: string): string[] =>
  markdown
    .split('\n')
    .map((one) => one.replaceAll(/-{3,}/g, '---').replaceAll(/\s+/g, ' ').trim())
    .filter((one) => one !== '');

if (process.argv[1] === import.meta.filename) {
  for (const table of tables) {
    const { text, shown } = readDocument(table);
    const [begin] = places[table];
    writeFileSync(
      file,
      text.replace(`${begin}\n\n${shown}`, () => `${begin}\n\n${render(table)}`),
    );
  }
}
