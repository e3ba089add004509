import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { dataRoot } from '../../infra/stack/folders.ts';

it('a wrong shop stays open for a person to try, and says loudly what it is, until it is told to end', { timeout: 120_000 }, async () => {
  const program = join(import.meta.dirname, '../course/command.ts');
  const lab = spawn(process.execPath, [program, 'wrong-carts', '--stay', 'lww', '--port-base', '10400'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(lab, 'exit');
  try {
    let gateway: string | undefined;
    for await (const line of createInterface({ input: lab.stdout })) {
      gateway = /^http:\S+(?=.*until Ctrl-C)/.exec(line)?.[0];
      if (gateway !== undefined) break;
    }
    expect((await fetch(`${gateway}/api/products?pageSize=1`)).status).toBe(200);
    const logs = globSync(join(dataRoot, 'lab-wrong-carts', 'logs', '*.log')).map((file) => readFileSync(file, 'utf8'));
    expect(logs.join('\n')).toContain('THIS CART LOSES THINGS ON PURPOSE');
    lab.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    await expect(fetch(`${gateway}/api/products?pageSize=1`)).rejects.toThrow('fetch failed');
  } finally {
    lab.kill('SIGKILL');
  }
});
