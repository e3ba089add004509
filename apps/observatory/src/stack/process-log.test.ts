import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lastLogLines, lineCountMax, lineLengthMax, readBytesMax } from './process-log.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'cloakroom-log-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function logOf(text: string): Promise<string> {
  const file = join(folder, 'cart.log');
  await writeFile(file, text);
  return file;
}

it('our lines tell their moment, their level and their fields; other lines stay as they are; the newest is last', async () => {
  const at = '2026-11-28T10:00:00.123Z';
  const ours = JSON.stringify({
    level: 'warn',
    time: at,
    service: 'cart',
    name: 'cart',
    topic: 'cart.events',
    msg: 'late',
    err: { stack: 'E' },
  });
  expect(await lastLogLines(await logOf(`* Ready to accept connections\n${ours}\n`), true)).toEqual({
    lines: [
      { atMs: undefined, level: undefined, text: '* Ready to accept connections' },
      { atMs: Date.parse(at), level: 'warn', text: 'late service=cart topic=cart.events E' },
    ],
    cut: false,
  });
  expect((await lastLogLines(await logOf(ours))).lines).toMatchObject([{ text: 'late topic=cart.events E' }]);
});

it('a log of any length costs a bounded read, and its end is shown', async () => {
  const line = 'x'.repeat(lineLengthMax * 2);
  const { lines, cut } = await lastLogLines(await logOf(`${Array.from({ length: 50 }, () => line).join('\n')}\nthe end\n`));
  expect([cut, lines.at(-1)?.text]).toEqual([true, 'the end']);
  expect(lines.slice(0, -1).every(({ text }) => text.length === lineLengthMax)).toBe(true);
  expect((lines.length - 1) * line.length).toBeLessThanOrEqual(readBytesMax);
});

it('of many short lines the last are shown', async () => {
  const { lines, cut } = await lastLogLines(
    await logOf(Array.from({ length: lineCountMax + 5 }, (_, index) => `line ${index}`).join('\n')),
  );
  expect([cut, lines.length, lines[0]?.text]).toEqual([true, lineCountMax, 'line 5']);
});

it('a process that wrote nothing has an empty log', async () => {
  expect(await lastLogLines(undefined)).toEqual({ lines: [], cut: false });
  expect(await lastLogLines(join(folder, 'none.log'))).toEqual({ lines: [], cut: false });
});
