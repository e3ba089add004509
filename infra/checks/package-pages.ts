/** Each library, each app and each room beside them has a page that tells a reader what it is; a page that is longer than a screen is not read. */
import { packagePage, type Tree, type Violation } from './tree.ts';

/** One screen. */
const pageLinesMax = 40;
/** A reader's questions about each, in this order. */
const headings = ['What it is', 'What it promises', 'How to use it alone', 'Start reading at'];

export function checkPackagePages(tree: Tree): Violation[] {
  const wanted = tree.files
    .filter((path) => /^(?:(?:apps|libs)\/[^/]+|infra|labs|e2e|tools)\/package\.json$/.test(path))
    .map((path) => path.replace(/package\.json$/, 'README.md'));
  const missing = wanted.filter((path) => !tree.files.includes(path)).map((path) => ({ path, message: 'is missing' }));
  const there = tree.files.filter((path) => packagePage.test(path));
  return [...missing, ...there.flatMap((path) => judge(path, tree.read(path)))];
}

function judge(path: string, text: string): Violation[] {
  const lineCount = text.trimEnd().split('\n').length;
  const found = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  return [
    ...(lineCount > pageLinesMax ? [{ path, message: `${lineCount} lines, ${pageLinesMax} at most: the rest belongs in docs/` }] : []),
    ...(headings.join() === found.join() ? [] : [{ path, message: `has the headings ${headings.map((one) => `"${one}"`).join(', ')}` }]),
  ];
}
