/**
 * `node infra/checks/draw-pictures.ts`: writes nx's graph into ARCHITECTURE.md, and makes the SVG of every Mermaid picture, in the
 * Chromium that the tests use.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../cli/chromium.ts';
import { runCommandLine } from '../cli/command-line.ts';
import { repository } from '../stack/folders.ts';
import { madeFrom, picturesOf } from './pictures.ts';
import { readProjects } from './project-graph.ts';
import { projectPicturePage, withProjectPicture } from './project-picture.ts';
import { documentsOf, workingTree } from './tree.ts';

/** One file without imports. */
const mermaid = new URL('mermaid.min.js', import.meta.resolve('mermaid')).href;

/** Text stays text (no HTML inside the SVG). Ids and shapes are the same each time. The font is one that has a twin of the same widths everywhere. */
const settings = {
  startOnLoad: false,
  deterministicIds: true,
  handDrawnSeed: 1,
  htmlLabels: false,
  theme: 'neutral',
  fontFamily: 'Arial, Helvetica, sans-serif',
  themeVariables: { noteBkgColor: '#fff4d6', noteBorderColor: '#8a5a00', noteTextColor: '#1f1f1f' },
  flowchart: { htmlLabels: false, curve: 'linear' },
  sequence: { useMaxWidth: false, showSequenceNumbers: false, mirrorActors: false },
};

/** Runs in the page. A picture gets its size, and a white ground: its lines are dark, and pages may be so too. */
const pageScript = `
  const texts = JSON.parse(document.getElementById('texts').textContent);
  mermaid.initialize(${JSON.stringify(settings)});
  const drawn = [];
  for (const [index, text] of texts.entries()) {
    const holder = document.createElement('div');
    holder.innerHTML = (await mermaid.render('picture-' + index, text)).svg;
    const svg = holder.firstElementChild;
    const [x, y, width, height] = svg.getAttribute('viewBox').split(' ').map(Number);
    svg.removeAttribute('style');
    svg.setAttribute('width', Math.ceil(width));
    svg.setAttribute('height', Math.ceil(height));
    const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    for (const [name, value] of Object.entries({ x, y, width, height, fill: 'white' })) ground.setAttribute(name, value);
    svg.prepend(ground);
    drawn.push(new XMLSerializer().serializeToString(svg));
  }
  document.getElementById('drawn').textContent = encodeURIComponent(JSON.stringify(drawn));`;

function drawAll(chromium: string, texts: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'cloakroom-pictures-'));
  try {
    const page = join(folder, 'page.html');
    const list = JSON.stringify(texts).replaceAll('<', '\\u003c');
    writeFileSync(
      page,
      `<!doctype html><meta charset="utf-8"><body><script type="application/json" id="texts">${list}</script><pre id="drawn"></pre>
<script src="${mermaid}"></script><script type="module">${pageScript}</script>`,
    );
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--allow-file-access-from-files', '--virtual-time-budget=60000'];
    const dom = execFileSync(chromium, [...flags, `--user-data-dir=${join(folder, 'profile')}`, '--dump-dom', `file://${page}`], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [, drawn = ''] = /<pre id="drawn">([^<]*)<\/pre>/.exec(dom) ?? [];
    if (drawn === '') throw new Error('Chromium drew nothing: is the Mermaid text right?');
    return JSON.parse(decodeURIComponent(drawn)) as string[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await runCommandLine({ help: 'node infra/checks/draw-pictures.ts   makes the SVG of every picture in the documents', options: {} }, () => {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error('there is no Chromium here: npm run doctor says how to get one');
  const page = join(repository, projectPicturePage);
  writeFileSync(page, withProjectPicture(readFileSync(page, 'utf8'), readProjects(repository)));
  const pictures = documentsOf(workingTree(repository)).flatMap((path) => picturesOf(path, readFileSync(join(repository, path), 'utf8')));
  const drawn = drawAll(
    chromium,
    pictures.map(({ text }) => text),
  );
  for (const [index, picture] of pictures.entries()) {
    if (picture.svg === undefined) throw new Error(`${picture.document}:${picture.line} links to no SVG below the picture`);
    writeFileSync(join(repository, picture.svg), `<!-- ${madeFrom(picture)} -->\n${drawn[index]!}\n`);
    console.log(picture.svg);
  }
  return 0;
});
