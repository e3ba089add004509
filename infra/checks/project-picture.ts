/**
 * The picture of the projects in ARCHITECTURE.md, made from nx's graph. Projects that depend on the same and carry the same tags share a box. A line
 * that other lines imply is left out.
 */
import type { Project } from './project-graph.ts';
import type { Tree, Violation } from './tree.ts';

export const projectPicturePage = 'ARCHITECTURE.md';
/** The first line of the picture. It tells the picture from the others of its page. */
const mark = '%% nx graph, drawn by infra/checks/draw-pictures.ts';
const block = new RegExp(`(?<=^\`\`\`mermaid\\n)${mark}\\n.*?(?=^\`\`\`)`, 'ms');

interface Box {
  /** The names of its projects, without the scope. */
  readonly projects: readonly string[];
  readonly tags: readonly string[];
  readonly needs: readonly string[];
}

const shortName = (name: string): string => name.slice(name.indexOf('/') + 1);

/** Test kits are drawn with dotted lines: what ships does not hold them. */
export function drawProjects(projects: readonly Project[]): string {
  const boxes = boxesOf(projects);
  const boxOf = new Map(boxes.flatMap((box, index) => box.projects.map((name) => [name, index] as const)));
  const below = boxes.map(({ needs }) => new Set(needs.map((name) => boxOf.get(name)!)));
  const isKit = (index: number): boolean => boxes[index]!.tags.includes('layer:testing');
  // No way leads through the test kits: what they need is not what ships with those that they test.
  const reaches = (from: number, to: number): boolean => !isKit(from) && [...below[from]!].some((next) => next === to || reaches(next, to));
  const lines = boxes.flatMap((_, from) =>
    [...below[from]!]
      .filter((to) => ![...below[from]!].some((other) => other !== to && reaches(other, to)))
      .toSorted((a, b) => a - b)
      .map((to) => `  ${boxId(boxes[from]!)} ${isKit(to) ? '-.->' : '-->'} ${boxId(boxes[to]!)}`),
  );
  return [mark, 'flowchart TB', ...boxes.map((box) => `  ${boxId(box)}["${box.projects.join(', ')}"]`), ...lines, ''].join('\n');
}

/** "end" and the like are words of Mermaid, so each id has a prefix. */
const boxId = ({ projects: [first = ''] }: Box): string => `p-${first}`;

/** By name, so that the same projects give the same text. */
function boxesOf(projects: readonly Project[]): Box[] {
  const alike = Map.groupBy(
    projects.toSorted((a, b) => a.name.localeCompare(b.name)),
    ({ tags, dependencies }) => JSON.stringify([tags.toSorted(), dependencies.toSorted()]),
  );
  return [...alike.values()].map((group) => ({
    projects: group.map(({ name }) => shortName(name)),
    tags: group[0]!.tags,
    needs: group[0]!.dependencies.map(shortName),
  }));
}

/** @returns the page with today's picture in place of the one that it had */
export function withProjectPicture(page: string, projects: readonly Project[]): string {
  if (!block.test(page)) throw new Error(`${projectPicturePage} has no picture that begins with "${mark}"`);
  return page.replace(block, () => drawProjects(projects));
}

export function checkProjectPicture(projects: readonly Project[], tree: Tree): Violation[] {
  const page = tree.read(projectPicturePage);
  if (block.test(page) && withProjectPicture(page, projects) === page) return [];
  return [{ path: projectPicturePage, message: 'its picture of the projects is not nx graph: run node infra/checks/draw-pictures.ts' }];
}
