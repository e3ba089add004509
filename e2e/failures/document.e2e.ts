import { expect, test } from '@playwright/test';
import { plain, readDocument, renderMatrix } from './document.ts';

test('docs/failures.md shows the failure matrix that the tests hold the system to, and leaves no cell untested', () => {
  const { text, matrix } = readDocument();
  expect(plain(matrix), 'write it anew: node e2e/failures/document.ts && npx prettier --write docs/failures.md').toEqual(
    plain(renderMatrix()),
  );
  expect(text).not.toMatch(/not yet tested|next: /i);
});
