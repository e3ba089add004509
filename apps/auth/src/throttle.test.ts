import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { openThrottle, type Throttle } from './throttle.ts';

const refused = async (throttle: Throttle, email: string, address: string, handle?: string) =>
  isProblem(await throttle.begin(email, address, handle));

it('allows ten failures an account, also when all are begun at once', async () => {
  const throttle = openThrottle(undefined);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => refused(throttle, 'a@b.cc', `192.0.2.${i}`)));
  expect(answers.filter((no) => !no)).toHaveLength(10);
  expect(await refused(throttle, 'other@b.cc', '192.0.2.1')).toBe(false);
});

it('allows a hundred failures an address, whatever the accounts', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 100; i += 1) expect(await refused(throttle, `${i}@b.cc`, '192.0.2.1')).toBe(false);
  expect(await throttle.begin('new@b.cc', '192.0.2.1')).toMatchObject({ problem: 'too_many_attempts', retryAfterS: 900 });
  expect(await refused(throttle, 'new@b.cc', '192.0.2.2')).toBe(false);
});

it('gives a refused attempt and a success back', async () => {
  const throttle = openThrottle(undefined);
  const attempts = await Promise.all(Array.from({ length: 30 }, () => throttle.begin('a@b.cc', '192.0.2.1')));
  const [first] = attempts.flatMap((attempt) => (isProblem(attempt) ? [] : [attempt]));
  await first!.succeeded();
  expect(await refused(throttle, 'a@b.cc', '192.0.2.1')).toBe(false);
  expect(await refused(throttle, 'a@b.cc', '192.0.2.1')).toBe(true);
  // 11 of this address are gone, not 32.
  for (let i = 0; i < 89; i += 1) expect(await refused(throttle, `${i}@b.cc`, '192.0.2.1')).toBe(false);
});

it('counts a known device by itself', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 11; i += 1) await throttle.begin('a@b.cc', '');
  expect(await refused(throttle, 'a@b.cc', '')).toBe(true);
  for (let i = 0; i < 10; i += 1) expect(await refused(throttle, 'a@b.cc', '', 'handle')).toBe(false);
  expect(await refused(throttle, 'a@b.cc', '', 'handle')).toBe(true);
});
