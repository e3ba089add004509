/**
 * Each Mermaid picture of a document has an SVG that can be read where Mermaid is not drawn. The line below the picture links to it. The SVG
 * names the hash of the text that it was made from, so this check needs no browser. `node infra/checks/draw-pictures.ts` makes the SVGs.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Tree, Violation } from './tree.ts';

export interface Picture {
  readonly document: string;
  /** Where the picture begins, counted from 1. */
  readonly line: number;
  readonly text: string;
  /** Its SVG, as a path from the root; undefined where the line below the picture links to none. */
  readonly svg: string | undefined;
}

/** At the beginning of a line, closed likewise, then at most one empty line and the link. */
const pattern = /^```mermaid\n(.*?)^```\n\n?(?:\[[^\]]*\]\(([^)\s]+\.svg)\))?/gms;

export function picturesOf(document: string, content: string): Picture[] {
  return [...content.matchAll(pattern)].map(({ index, 1: text = '', 2: link }) => ({
    document,
    line: content.slice(0, index).split('\n').length,
    text,
    svg: link === undefined ? undefined : posix.join(posix.dirname(document), link),
  }));
}

/** Stands in the SVG. */
export const madeFrom = ({ text }: Pick<Picture, 'text'>): string =>
  `made from the Mermaid text with SHA-256 ${createHash('sha256').update(text).digest('hex')}`;

const remedy = 'run node infra/checks/draw-pictures.ts';

export function checkPictures(tree: Tree, documents: readonly string[]): Violation[] {
  const pictures = documents.flatMap((document) => picturesOf(document, tree.read(document)));
  const undrawn = pictures.flatMap((picture) => {
    const at = { path: picture.document, line: picture.line };
    if (picture.svg === undefined) return [{ ...at, message: 'a Mermaid picture without a link to its SVG on the line below' }];
    if (!tree.files.includes(picture.svg)) return [{ ...at, message: `${picture.svg} is missing: ${remedy}` }];
    return tree.read(picture.svg).includes(madeFrom(picture))
      ? []
      : [{ ...at, message: `${picture.svg} was made from another text: ${remedy}` }];
  });
  const unused = tree.files
    .filter((path) => /^docs\/images\/.*\.svg$/.test(path) && !pictures.some(({ svg }) => svg === path))
    .map((path) => ({ path, message: 'belongs to no Mermaid picture: delete it' }));
  return [...undrawn, ...unused];
}
