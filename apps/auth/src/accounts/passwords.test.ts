import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { boundedConcurrency } from '../bounded-concurrency.ts';
import { openPasswords } from './passwords.ts';

it('a password is hashed by argon2id with the recommended parameters, and matches its hash', async () => {
  const passwords = await openPasswords();
  const hash = await passwords.hash('correct horse');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await passwords.matches(hash as string, 'correct horse')).toBe(true);
  expect(await passwords.matches(hash as string, 'correct hors')).toBe(false);
});

it('the same characters, typed on another keyboard, are the same password', async () => {
  const passwords = await openPasswords();
  const hash = (await passwords.hash('pa\u00dfw\u00f6rter')) as string;
  expect(await passwords.matches(hash, 'pa\u00dfwo\u0308rter')).toBe(true);
});

it('two hashes run at a time, some wait in order, and the rest is refused', async () => {
  const bounded = boundedConcurrency(2, 3);
  let running = 0;
  let runningMax = 0;
  const order: number[] = [];
  const release: (() => void)[] = [];
  const answers = Array.from({ length: 7 }, (_, i) =>
    bounded(async () => {
      running += 1;
      runningMax = Math.max(runningMax, running);
      order.push(i);
      await new Promise<void>((resolve) => release.push(resolve));
      running -= 1;
      return i;
    }),
  );
  expect(await answers[5]).toEqual({ problem: 'too_many_requests', retryAfterS: 1 });
  expect(await answers[6]).toMatchObject({ problem: 'too_many_requests' });
  for (let i = 0; i < 5; i += 1) {
    release.shift()!();
    expect(await answers[i]).toBe(i);
  }
  expect(runningMax).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

it('a failed hash gives its place back', async () => {
  const bounded = boundedConcurrency(1, 0);
  await expect(bounded(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(isProblem(await bounded(() => Promise.resolve('next')))).toBe(false);
});
