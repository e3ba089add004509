import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keepPrediction, publishedFolder, readPrediction, readResult } from '../runner/keep.ts';
import { describeResult } from '../runner/present.ts';
import { findLab, labs } from './list.ts';
import { blocksOf } from './page-text.ts';
import { findingsView, labView, listedView } from './views.ts';

let kept: string;
beforeAll(() => {
  kept = mkdtempSync(join(tmpdir(), 'cloakroom-kept-'));
  vi.stubEnv('LABS_KEPT_DIR', kept);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(kept, { recursive: true });
});

describe.each(labs.map((listed) => [listed.name, listed] as const))('the lab %s', (name, listed) => {
  it('shows the page the table, the intervals and the verdicts that the terminal shows', async () => {
    const lab = await findLab(name);
    const { published } = findingsView(lab);
    const terminal = describeResult(lab, readResult(publishedFolder(name))!, undefined).map((line) =>
      line.trim().replaceAll(/ {2,}/g, '  '),
    );
    // A cell in which nothing was measured is empty, and leaves only space in the terminal.
    for (const row of published!.table.rows) expect(terminal).toContain(row.filter((cell) => cell !== '').join('  '));
    for (const { says, verdict, interval, control } of published!.judged) {
      expect(terminal.some((line) => line.startsWith(verdict.toUpperCase()) && line.endsWith(says))).toBe(true);
      expect(terminal.some((line) => line.startsWith(`${interval}; the same arm twice: ${control}`))).toBe(true);
    }
    expect(published!.figure?.light).toContain('<svg');
    expect(published!.changed).toEqual([]);
  });

  it('tells nothing that was found before the prediction, and not the right answer', async () => {
    const lab = await findLab(name);
    const told = JSON.stringify([await listedView(listed), await labView(listed)]);
    expect(told).not.toMatch(/"(?:right|published|own|judged|verdict|figure|text|exercise)"/);
    expect(Object.keys(await labView(listed)).toSorted()).toEqual([
      'claim',
      'minutes',
      'name',
      'needs',
      'ownRunAt',
      'predicted',
      'prediction',
      'question',
    ]);
    expect((await labView(listed)).prediction.asks).toBe(lab.prediction.asks);
  });

  it('has a text that the page can show: no title, no HTML, no link into the repository', async () => {
    const { text } = findingsView(await findLab(name));
    expect(text.filter(({ kind }) => kind === 'heading').length).toBeGreaterThan(2);
    expect(JSON.stringify(text)).not.toMatch(/<picture|<img|"href":"(?!https:)/);
  });
});

it('a lab that cannot be loaded says so in the list, beside the others', async () => {
  const broken = { ...labs[0]!, load: () => Promise.reject(new Error('no such part')) };
  expect(await listedView(broken)).toMatchObject({ claim: broken.claim, question: 'It cannot be loaded: Error: no such part' });
  await expect(labView(broken)).rejects.toThrow('no such part');
});

it('a prediction of the page is that of the terminal', async () => {
  const [listed] = labs;
  expect((await labView(listed!)).prediction.given).toBeUndefined();
  keepPrediction(listed!.name, 'b');
  expect(readPrediction(listed!.name)).toBe('b');
  expect(await labView(listed!)).toMatchObject({ predicted: true, prediction: { given: 'b' } });
  const lab = await findLab(listed!.name);
  expect(findingsView(lab).predicted).toMatchObject({ words: expect.stringMatching(/^b\) /) });
});

it('a text keeps its lists, code, tables and links outside, and drops the rest', () => {
  const text =
    '# Title\n\n<picture><img></picture>\n\nSee [it](https://a.example/x), [here](../docs/x.md), **not** `this`.\n\n- one\n- two\n\n```\ncode\n```\n\n| a |\n|---|\n| 1 |\n';
  const plain = (words: string) => ({ text: words, style: 'plain', href: undefined });
  expect(blocksOf(text)).toEqual([
    {
      kind: 'paragraph',
      parts: [
        plain('See '),
        { text: 'it', style: 'plain', href: 'https://a.example/x' },
        plain(', '),
        plain('here'),
        plain(', '),
        { text: 'not', style: 'strong', href: undefined },
        plain(' '),
        { text: 'this', style: 'code', href: undefined },
        plain('.'),
      ],
    },
    { kind: 'list', ordered: false, items: [[plain('one')], [plain('two')]] },
    { kind: 'code', text: 'code' },
    { kind: 'table', rows: [[[plain('a')]], [[plain('1')]]] },
  ]);
});
