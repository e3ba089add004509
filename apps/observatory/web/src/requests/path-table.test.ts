import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { PathTable } from './path-table.tsx';
import { recorded } from './recorded.fixture.ts';

it('a row that nothing explains says so, and no other one does', () => {
  const path = recorded.path.map((step) => (step.spanId === 'd' ? { ...step, kind: 'untold' as const } : step));
  const html = renderToStaticMarkup(
    createElement(PathTable, { view: { ...recorded, path }, selected: undefined, onSelect: () => undefined }),
  );
  const marked = html.split('<tr').filter((row) => row.includes('unexplained'));
  expect(marked).toHaveLength(1);
  expect(marked[0]).toContain('argon2 verify');
});
