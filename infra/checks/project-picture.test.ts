import { expect, it } from 'vitest';
import type { Project } from './project-graph.ts';
import { checkProjectPicture, drawProjects, withProjectPicture } from './project-picture.ts';
import { plantedTree } from './tree.ts';

const project = (name: string, layer: string, ...dependencies: string[]): Project => ({
  name: `@cloakroom/${name}`,
  root: name,
  tags: [`layer:${layer}`],
  dependencies: dependencies.map((each) => `@cloakroom/${each}`),
});
const projects = [
  project('platform', 'platform'),
  project('testing', 'testing', 'platform'),
  project('mesh', 'mesh', 'platform', 'testing'),
  project('orders', 'app', 'platform', 'testing', 'mesh'),
  project('cart', 'app', 'mesh', 'platform', 'testing'),
];
const page = (picture: string) => `# A\n\n\`\`\`mermaid\nflowchart LR\n  a --> b\n\`\`\`\n\n\`\`\`mermaid\n${picture}\`\`\`\nmore\n`;

it('a picture of the projects shares a box among those alike, and leaves out a line that others imply', () => {
  expect(drawProjects(projects).split('\n').slice(1)).toEqual([
    'flowchart TB',
    '  p-cart["cart, orders"]',
    '  p-mesh["mesh"]',
    '  p-platform["platform"]',
    '  p-testing["testing"]',
    '  p-cart --> p-mesh',
    '  p-mesh --> p-platform',
    '  p-mesh -.-> p-testing',
    '  p-testing --> p-platform',
    '',
  ]);
});

it('a picture that is not the graph is refused, and drawing mends it', () => {
  const old = page(drawProjects(projects.slice(0, 3)));
  const check = (text: string) => checkProjectPicture(projects, plantedTree({ 'ARCHITECTURE.md': text }));
  expect(check(old)).toEqual([expect.objectContaining({ path: 'ARCHITECTURE.md' })]);
  const mended = withProjectPicture(old, projects);
  expect(mended).toBe(page(drawProjects(projects)));
  expect(check(mended)).toEqual([]);
  expect(check(page('flowchart TB\n'))).toHaveLength(1);
});
