import { expect, test } from '@playwright/test';
import { plain, readDocument, render, tables } from './document.ts';

for (const table of tables)
  test(`docs/failures.md shows the table of the ${table} that the tests hold the system to, and leaves no cell untested`, () => {
    const { text, shown } = readDocument(table);
    expect(plain(shown), 'write it anew: node e2e/failures/document.ts && npx prettier --write docs/failures.md').toEqual(
      plain(render(table)),
    );
    expect(text).not.toMatch(/not yet tested|next: /i);
  });
