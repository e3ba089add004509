import { describe, expect, it } from 'vitest';
import { checkPictures, madeFrom, picturesOf } from './pictures.ts';
import { plantedTree } from './tree.ts';

const messages = (violations: readonly { message: string }[]) => violations.map(({ message }) => message);
const document = (text: string, link = '\n[As a file](images/x.svg)\n') => `# Title\n\n\`\`\`mermaid\n${text}\`\`\`\n${link}`;
const check = (files: Record<string, string>) => messages(checkPictures(plantedTree(files), ['docs/a.md']));

describe('pictures', () => {
  it('are found with the SVG that the line below links to', () => {
    const text = `${document('flowchart\n  a --> b\n')}\n${document('flowchart\n  c --> d\n', 'no link')}`;
    expect(picturesOf('docs/a.md', text)).toEqual([
      { document: 'docs/a.md', line: 3, text: 'flowchart\n  a --> b\n', svg: 'docs/images/x.svg' },
      { document: 'docs/a.md', line: 12, text: 'flowchart\n  c --> d\n', svg: undefined },
    ]);
  });

  it('whose SVG was made from the text in the document are let pass', () => {
    const svg = `<!-- ${madeFrom({ text: 'flowchart\n' })} --><svg/>`;
    expect(check({ 'docs/a.md': document('flowchart\n'), 'docs/images/x.svg': svg })).toEqual([]);
  });

  it('without an SVG, with one of another text, or without a link are refused', () => {
    const svg = `<!-- ${madeFrom({ text: 'flowchart\n' })} --><svg/>`;
    expect(check({ 'docs/a.md': document('flowchart\n') })).toEqual([expect.stringMatching(/x\.svg is missing/)]);
    expect(check({ 'docs/a.md': document('flowchart LR\n'), 'docs/images/x.svg': svg })).toEqual([expect.stringMatching(/another text/)]);
    expect(check({ 'docs/a.md': document('flowchart\n', '') })).toEqual([expect.stringMatching(/without a link/)]);
  });

  it('that no document draws any more are refused', () => {
    expect(check({ 'docs/a.md': '', 'docs/images/x.svg': '<svg/>' })).toEqual([expect.stringMatching(/belongs to no Mermaid picture/)]);
  });
});
