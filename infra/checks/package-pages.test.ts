import { describe, expect, it } from 'vitest';
import { checkPackagePages } from './package-pages.ts';
import { plantedTree } from './tree.ts';

const messages = (violations: readonly { message: string }[]) => violations.map(({ message }) => message);

describe('the page of a package', () => {
  const page = '# x\n\n## What it is\n\n## What it promises\n\n## How to use it alone\n\n## Start reading at\n';
  const judge = (files: Record<string, string>) => messages(checkPackagePages(plantedTree(files)));

  it('may have 40 lines, and must be there', () => {
    expect(judge({ 'libs/x/package.json': '', 'libs/x/README.md': page + '\n'.repeat(3) + 'x\n'.repeat(28) })).toEqual([]);
    expect(judge({ 'libs/x/package.json': '', 'libs/x/README.md': page + 'x\n'.repeat(32) })).toEqual([
      expect.stringMatching(/41 lines, 40/),
    ]);
    expect(judge({ 'labs/package.json': '' })).toEqual(['is missing']);
  });

  it('answers the questions of a reader in their order', () => {
    expect(judge({ 'apps/x/README.md': page.replace('What it promises', 'Promises') })).toEqual([
      expect.stringMatching(/has the headings/),
    ]);
  });
});
