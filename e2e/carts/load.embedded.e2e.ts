/** `npm run load` as a person types it, against the running shop. It speaks HTTP alone, so one kind of shop is enough. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from '../kit/device.ts';
import { portBase } from '../kit/stack.ts';

const cli = join(import.meta.dirname, '../../infra/cli.ts');

function load(...words: string[]) {
  const child = spawn(process.execPath, [cli, 'load', ...words, '--port-base', String(portBase)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  return { child, ended, said: Promise.all([text(child.stdout), text(child.stderr)]).then((all) => all.join('')) };
}

test('people live in the shop at no more than the rate, and leave by themselves', async () => {
  const { ended, said } = load('--people', '9', '--rate', '25', '--for', '15s');
  const [code] = await ended;
  const output = await said;
  expect(code, output).toBe(0);
  expect(output).toContain('9 people at');
  const [, count = '0', perSecond = '0'] = /in all: (\d+) answers in 00:\d\d, +([\d.]+) requests\/s/.exec(output) ?? [];
  expect(Number(count), output).toBeGreaterThan(50);
  expect(Number(perSecond)).toBeLessThanOrEqual(25.5);
  expect(output.match(/^00:\d\d {2}/gm)!.length).toBeGreaterThanOrEqual(2);
});

test('Ctrl-C ends it long before its time', async () => {
  const { child, ended, said } = load('--people', '3', '--rate', '5', '--for', '60m');
  const first = once(child.stdout, 'data');
  await first;
  child.kill('SIGINT');
  child.kill('SIGTERM');
  await ended;
  expect(await said).toContain('in all:');
});

test('more people or requests than its bounds are refused in words', async () => {
  for (const [option, value] of [
    ['--people', '201'],
    ['--rate', '201'],
    ['--for', '61m'],
  ] as const) {
    const { ended, said } = load(option, value);
    expect((await ended)[0]).toBe(1);
    expect(await said).toContain(`${option} ${value}:`);
  }
});
