import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { publishAll, rehearsalDir, steps } from './publish.ts';
import { isReported } from './reported.ts';
import { performanceDoc } from './measuring/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'publish-'));
afterAll(() => rmSync(folder, { recursive: true }));
const doneFile = join(folder, 'done.json');
beforeEach(() => rmSync(doneFile, { force: true }));

async function publish(options: { commit?: string; quick?: boolean; afresh?: boolean; failing?: string } = {}) {
  const ran: string[][] = [];
  const { commit = 'abc', quick = false, afresh = false, failing } = options;
  const run = (step: { name: string }, args: readonly string[]): Promise<number> => {
    ran.push([step.name, ...args]);
    return Promise.resolve(step.name === failing ? 1 : 0);
  };
  const said: string[] = [];
  const code = await publishAll({ quick, afresh, commit, doneFile, run, print: (line) => said.push(line) });
  return { code, ran, names: ran.map(([name]) => name), last: said.at(-1) };
}
const all = steps.map(({ name }) => name);

it('publish measures every benchmark whose tables docs/performance.md shows, within 52 minutes in all', () => {
  const shown = [...readFileSync(performanceDoc, 'utf8').matchAll(/<!-- bench:([\w-]+) -->/g)].map(([, name]) => name!);
  expect(all.toSorted()).toEqual(shown.toSorted());
  expect(all.every(isReported)).toBe(true);
  expect(steps.reduce((sum, { minutesMax }) => sum + minutesMax, 0)).toBeLessThanOrEqual(52);
});

it('publish continues after a failed benchmark, and the next run measures only that one', async () => {
  const first = await publish({ failing: 'edge' });
  expect([first.code, first.names, first.last]).toEqual([1, all, expect.stringContaining('not published: edge.')]);
  const second = await publish();
  expect([second.code, second.names]).toEqual([0, ['edge']]);
  expect((await publish()).names).toEqual([]);
});

it('publish measures all again at another commit, or when asked to', async () => {
  await publish();
  expect((await publish({ commit: 'def' })).names).toEqual(all);
  expect((await publish({ commit: 'def', afresh: true })).names).toEqual(all);
});

it('publish writes into the documents, and a quick run writes into a copy', async () => {
  const whole = await publish();
  expect(whole.ran.every((args) => args.includes('--publish') && !args.includes('--docs'))).toBe(true);
  rmSync(doneFile);
  const quick = await publish({ quick: true });
  expect(quick.ran.every((args) => args.includes(rehearsalDir))).toBe(true);
});
