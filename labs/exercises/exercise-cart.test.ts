import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { dataRoot } from '../../infra/stack/folders.ts';
import { cartModels, exerciseCart, type CartModelName } from './exercise-cart.ts';

/** A stack starts in seconds. One scene kills it and waits for the next. */
const timeoutMs = 120_000;
const shows: Record<CartModelName, string[]> = {
  dots: [],
  lww: ['lost'],
  union: ['resurrected'],
  'sum-merge': ['doubled'],
  'overwrite-merge': ['lost'],
  'read-modify-write': ['lost'],
};

describe('carts that are wrong on purpose', () => {
  for (const model of cartModels)
    it(`${model}: the checker finds ${shows[model].join(' and ') || 'nothing'}`, { timeout: timeoutMs }, async () => {
      const caught = await exerciseCart(model);
      const kinds = [...new Set(caught.map(({ anomaly }) => anomaly.kind))];
      expect(kinds).toEqual(model === 'dots' ? [] : expect.arrayContaining(shows[model]));
    });

  it(
    'stay open for a person to walk about in, and say loudly what they are, until they are told to end',
    { timeout: timeoutMs },
    async () => {
      const program = join(import.meta.dirname, 'exercise.ts');
      const exercise = spawn(process.execPath, [program, 'cart', '--model', 'lww', '--stay'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(exercise, 'exit');
      try {
        let gateway: string | undefined;
        for await (const line of createInterface({ input: exercise.stdout })) {
          gateway = /^http:\S+(?=.*until Ctrl-C)/.exec(line)?.[0];
          if (gateway !== undefined) break;
        }
        expect((await fetch(`${gateway}/api/products?pageSize=1`)).status).toBe(200);
        const logs = globSync(join(dataRoot, 'exercise-cart', 'logs', '*.log')).map((file) => readFileSync(file, 'utf8'));
        expect(logs.join('\n')).toContain('THIS CART LOSES THINGS ON PURPOSE');
        exercise.kill('SIGINT');
        expect(await exited).toEqual([0, null]);
        await expect(fetch(`${gateway}/api/products?pageSize=1`)).rejects.toThrow('fetch failed');
      } finally {
        exercise.kill('SIGKILL');
      }
    },
  );
});
