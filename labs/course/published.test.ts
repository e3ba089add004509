import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { againstFound, judge } from '../runner/judge.ts';
import { publishedFolder, readResult } from '../runner/keep.ts';
import { findLab, labs } from './list.ts';
import { spoil } from '../runner/spoilt.ts';

describe.each(labs.map(({ name }) => name))('the lab %s', (name) => {
  it('has published a full run with its usual numbers, whose samples give the verdicts that it says', async () => {
    const lab = await findLab(name);
    const result = readResult(publishedFolder(name))!;
    expect(result, `npm run lab -- ${name} --publish`).toBeDefined();
    expect(result.quick).toBe(false);
    expect(result.dials).toEqual(Object.fromEntries(Object.entries(lab.dials).map(([dial, { value }]) => [dial, value])));
    expect(result.samples).toHaveLength(lab.rounds.full * (lab.arms.length + 1));
    expect(judge(lab, result.samples)).toEqual(result.judged);
    expect(againstFound(lab, result)).toEqual([]);
  });

  it('says something else of each statement where its arms were swapped, or one arm was measured twice', async () => {
    const lab = await findLab(name);
    const { samples } = readResult(publishedFolder(name))!;
    for (const [index, statement] of lab.statements.entries()) {
      for (const how of ['swapped', 'twice'] as const) {
        const spoilt = judge({ control: lab.control, statements: [statement] }, spoil(samples, statement, how));
        expect(spoilt[0]!.verdict, `${lab.statements[index]!.says}, ${how}`).not.toBe(statement.found);
      }
    }
  });

  it('has a page of at most two pages that shows its figure and names its exercise', () => {
    const page = readFileSync(join(publishedFolder(name), 'README.md'), 'utf8');
    expect(page.split(/\s+/).length).toBeLessThanOrEqual(1_100);
    expect(page).toContain('figure-light.svg');
    expect(page).toContain('figure-dark.svg');
    expect(page).toContain(`npm run lab -- ${name} --exercise`);
    const named = [...page.matchAll(/`(\w+(?:\/[\w.-]+)+\.ts)`/g)].map(([, path]) => path!);
    expect(named.filter((path) => !existsSync(join(publishedFolder(name), '../..', path)))).toEqual([]);
  });
});

it('every folder with a lab is in the list', () => {
  const folders = globSync('*/lab.ts', { cwd: publishedFolder('.') }).map((path) => path.split('/')[0]);
  // labs/runner/lab.ts says what a lab is.
  expect(labs.map(({ name }) => name).toSorted()).toEqual(folders.filter((folder) => folder !== 'runner').toSorted());
});

it('the list and both tables of docs/labs.md have the order of the course', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/labs.md'), 'utf8');
  const rows = [...page.matchAll(/^\|(?: (\d+) +\|)? \[([a-z-]+)\]/gm)].map(([, place, name]) => ({ place, name }));
  const names = labs.map(({ name }) => name);
  expect(rows.filter(({ place }) => place === undefined).map(({ name }) => name)).toEqual(names);
  expect(rows.filter(({ place }) => place !== undefined).map(({ place, name }) => [Number(place), name])).toEqual(
    names.map((name, at) => [at + 1, name]),
  );
});

it('every lab of the list can be loaded, has its statements about arms and quantities that it has', async () => {
  for (const { name, claim, needs } of labs) {
    const lab = await findLab(name);
    expect(lab).toMatchObject({ name, claim, needs });
    const arms = lab.arms.map((arm) => arm.name);
    expect(arms).toContain(lab.control);
    for (const { of, against, quantity } of lab.statements) {
      expect(arms).toEqual(expect.arrayContaining([of, against]));
      expect(Object.keys(lab.quantities)).toContain(quantity);
    }
    expect(Object.keys(lab.dials)).toEqual(expect.arrayContaining(Object.keys(lab.exercise.set)));
    if (lab.prediction.kind === 'choice') expect(Object.keys(lab.prediction.choices)).toContain(lab.prediction.right);
  }
});
