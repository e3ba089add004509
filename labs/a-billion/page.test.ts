import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { readFigures } from './figures.ts';
import { pageFiles } from './serve.ts';
import * as simulator from './simulator.ts';

/** The module that the page loads, as a browser gets it. */
const ofPage = async (body: string): Promise<typeof simulator> =>
  (await import(`data:text/javascript;base64,${Buffer.from(body).toString('base64')}`)) as typeof simulator;

it('the page loads the simulator that the lab runs, and gets the same answers and formulas from it', async () => {
  const { simulate, knobs } = await ofPage(pageFiles()['/simulator.js']!.body);
  const figures = readFigures();
  for (const mode of simulator.modes) {
    const [there, here] = [simulate(mode, simulator.usualWish, figures), simulator.simulate(mode, simulator.usualWish, figures)];
    expect(there.values).toEqual(here.values);
    expect(there.lines.map(({ formula }) => formula)).not.toContain('');
  }
  expect(knobs).toEqual(simulator.knobs);
});

it('a person opens the page by one command, it asks nobody else for anything, and it ends when told', { timeout: 60_000 }, async () => {
  const program = join(import.meta.dirname, '../course/command.ts');
  const lab = spawn(process.execPath, [program, 'a-billion', '--stay', '--port-base', '10500'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(lab, 'exit');
  try {
    let address = '';
    for await (const line of createInterface({ input: lab.stdout })) {
      address = /http:\S+\/(?=, until Ctrl-C)/.exec(line)?.[0] ?? '';
      if (address !== '') break;
    }
    const page = await fetch(address);
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect([...html.matchAll(/(?:src|href|from)\s*=?\s*['"]([^'"]+)/g)].map(([, url]) => url)).toEqual(['./simulator.js']);
    for (const file of ['simulator.js', 'figures.json']) expect((await fetch(address + file)).status).toBe(200);
    expect((await fetch(`${address}../figures.ts`)).status).toBe(404);
    lab.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
  } finally {
    lab.kill('SIGKILL');
  }
});
