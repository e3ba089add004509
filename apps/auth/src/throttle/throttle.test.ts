import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { memoryAttempts } from './attempts.ts';
import { type Guess, openThrottle, type Throttle, throttleLimits } from './throttle.ts';

const guess = (of: string, address: string, device?: string): Guess => ({
  at: 'password',
  of,
  address,
  known: device === undefined ? 'stranger' : { by: 'device', name: device },
});
const refused = async (throttle: Throttle, email: string, address: string, known?: string) =>
  isProblem(await throttle.begin(guess(email, address, known)));

it('allows ten failures an account, also when all are begun at once', async () => {
  const throttle = openThrottle(undefined);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => refused(throttle, 'a@b.cc', `192.0.2.${i}`)));
  expect(answers.filter((no) => !no)).toHaveLength(10);
  expect(await refused(throttle, 'other@b.cc', '192.0.2.1')).toBe(false);
});

it('allows a hundred failures an address, whatever the accounts', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 100; i += 1) expect(await refused(throttle, `${i}@b.cc`, '192.0.2.1')).toBe(false);
  expect(await throttle.begin(guess('new@b.cc', '192.0.2.1'))).toMatchObject({ problem: 'too_many_attempts', retryAfterS: 900 });
  expect(await refused(throttle, 'new@b.cc', '192.0.2.2')).toBe(false);
});

it('counts a whole IPv6 network as one address', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 100; i += 1) await throttle.begin(guess(`${i}@b.cc`, `2001:db8::${i.toString(16)}`));
  expect(await refused(throttle, 'new@b.cc', '2001:db8::ffff:1')).toBe(true);
  expect(await refused(throttle, 'new@b.cc', '2001:db8:0:1::1')).toBe(false);
});

it('gives a refused attempt and a success back', async () => {
  const throttle = openThrottle(undefined);
  const attempts = await Promise.all(Array.from({ length: 30 }, () => throttle.begin(guess('a@b.cc', '192.0.2.1'))));
  const [first] = attempts.flatMap((attempt) => (isProblem(attempt) ? [] : [attempt]));
  await first!.succeeded();
  expect(await refused(throttle, 'a@b.cc', '192.0.2.1')).toBe(false);
  expect(await refused(throttle, 'a@b.cc', '192.0.2.1')).toBe(true);
  // This address has used 10, not 32.
  for (let i = 0; i < 90; i += 1) expect(await refused(throttle, `${i}@b.cc`, '192.0.2.1')).toBe(false);
  expect(await refused(throttle, 'last@b.cc', '192.0.2.1')).toBe(true);
});

it('counts a known device by itself, and keeps it out neither by its account nor by its address', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 11; i += 1) await throttle.begin(guess('a@b.cc', '192.0.2.1'));
  for (let i = 0; i < 90; i += 1) await throttle.begin(guess(`${i}@b.cc`, '192.0.2.1'));
  expect(await refused(throttle, 'a@b.cc', '192.0.2.2')).toBe(true);
  expect(await refused(throttle, 'b@b.cc', '192.0.2.1')).toBe(true);
  for (let i = 0; i < 10; i += 1) expect(await refused(throttle, 'a@b.cc', '192.0.2.1', 'device')).toBe(false);
  expect(await refused(throttle, 'a@b.cc', '192.0.2.1', 'device')).toBe(true);
  expect(await refused(throttle, 'a@b.cc', '192.0.2.1', 'another device')).toBe(false);
});

it('begins anew after the window, and not below zero for what is given back late', async () => {
  let nowMs = 0;
  const throttle = openThrottle(undefined, 'throttle', throttleLimits, () => nowMs);
  const attempts = await Promise.all(Array.from({ length: 10 }, () => throttle.begin(guess('a@b.cc', ''))));
  expect(await refused(throttle, 'a@b.cc', '')).toBe(true);
  nowMs += 15 * 60_000;
  for (const attempt of attempts) if (!isProblem(attempt)) await attempt.succeeded();
  const answers = await Promise.all(Array.from({ length: 50 }, () => refused(throttle, 'a@b.cc', '')));
  expect(answers.filter((no) => !no)).toHaveLength(10);
});

it('counts what an address fills the shop with, and guests of all addresses together', async () => {
  const limits = { ...throttleLimits, registrationsPerHour: 2, guestsPerHour: 3, guestsPerHourInAll: 5 };
  const throttle = openThrottle(undefined, 'throttle', limits, () => 0);
  const of = async (kind: 'guest' | 'registration', address: string, times: number) => {
    const answers = await Promise.all(Array.from({ length: times }, () => throttle[kind](address)));
    return answers.map((answer) => (answer !== undefined && isProblem(answer) ? answer.problem : undefined));
  };
  expect(await of('registration', '192.0.2.1', 3)).toEqual([undefined, undefined, 'too_many_requests']);
  expect(await of('guest', '192.0.2.1', 4)).toEqual([undefined, undefined, undefined, 'too_many_requests']);
  expect(await of('guest', '192.0.2.2', 3)).toEqual([undefined, undefined, 'too_many_requests']);
  expect(await throttle.guest('192.0.2.3')).toMatchObject({ problem: 'too_many_requests', retryAfterS: 3600 });
});

it('gives a registration back that made no account', async () => {
  const throttle = openThrottle(undefined, 'throttle', { ...throttleLimits, registrationsPerHour: 1 });
  const first = await throttle.registration('192.0.2.1');
  if (isProblem(first)) throw new Error('refused');
  expect(await throttle.registration('192.0.2.1')).toMatchObject({ problem: 'too_many_requests' });
  await first.giveBack();
  expect(isProblem(await throttle.registration('192.0.2.1'))).toBe(false);
});

it('counts all that is no address together, and with a port the address alone', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 100; i += 1) await throttle.begin(guess(`${i}@b.cc`, `203.0.113.7:${40_000 + i}`));
  expect(await refused(throttle, 'new@b.cc', '203.0.113.7')).toBe(true);
  for (let i = 0; i < 100; i += 1) await throttle.begin(guess(`${i}@c.cc`, i % 2 === 0 ? '' : `made-up-${i}`));
  expect(await refused(throttle, 'new@c.cc', 'made up again')).toBe(true);
  expect(await refused(throttle, 'new@c.cc', '203.0.113.8')).toBe(false);
});

it('allows an IPv6 /48 ten times what one of its networks may fail, whatever the network', async () => {
  const throttle = openThrottle(undefined, 'throttle', { ...throttleLimits, addressFailures: 3 });
  const from = (i: number) => `2001:db8:7:${i.toString(16)}::1`;
  for (let i = 0; i < 30; i += 1) expect(await refused(throttle, `${i}@b.cc`, from(i))).toBe(false);
  expect(await refused(throttle, 'new@b.cc', from(1_000))).toBe(true);
  expect(await refused(throttle, 'new@b.cc', '2001:db8:8::1')).toBe(false);
});

it('leaves guest carts to everybody else when one IPv6 /48 begins as many as it can', async () => {
  const throttle = openThrottle(undefined);
  const begun = async (address: string, times: number) => {
    const answers = await Promise.all(Array.from({ length: times }, () => throttle.guest(address)));
    return answers.filter((answer) => answer === undefined).length;
  };
  let taken = 0;
  for (let i = 0; i < 20; i += 1) taken += await begun(`2001:db8:7:${i.toString(16)}::1`, throttleLimits.guestsPerHour);
  expect(taken).toBe(throttleLimits.guestsPerHourInAll / 10);
  expect(await begun('2001:db8:8::1', 1)).toBe(1);
  expect(await begun('192.0.2.1', 1)).toBe(1);
});

it('lets one address have all guests where its operator says so, also behind an IPv6 proxy', async () => {
  const throttle = openThrottle(undefined, 'throttle', { ...throttleLimits, guestsPerHour: 50, guestsPerHourInAll: 50 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => throttle.guest('fd00::1')));
  expect(answers.filter((answer) => answer !== undefined)).toEqual([]);
});

it('counts each kind of proof apart, and what has nothing to guess by the address alone', async () => {
  const throttle = openThrottle(undefined);
  for (let i = 0; i < 10; i += 1) await throttle.begin({ ...guess('a', '192.0.2.1'), at: 'second-factor' });
  expect(isProblem(await throttle.begin({ ...guess('a', '192.0.2.1'), at: 'second-factor' }))).toBe(true);
  expect(await refused(throttle, 'a', '192.0.2.1')).toBe(false);
  const passkey: Guess = { at: 'passkey', of: undefined, address: '192.0.2.1', known: 'stranger' };
  for (let i = 0; i < 89; i += 1) expect(isProblem(await throttle.begin(passkey))).toBe(false);
  expect(isProblem(await throttle.begin(passkey))).toBe(true);
});

it('does not compile where a caller forgets to say who is known', () => {
  const forgetful = { at: 'password', of: 'a@b.cc', address: '192.0.2.1' } as const;
  // @ts-expect-error The field is missing, not optional.
  const made: Guess = forgetful;
  expect(made).toBe(forgetful);
});

it('remembers a bounded number of keys', async () => {
  const attempts = memoryAttempts(() => 0);
  for (let i = 0; i < 50_001; i += 1) await attempts.take(`account:${i}`, 1, 1_000);
  expect(await attempts.take('account:50000', 1, 1_000)).toMatchObject({ count: undefined });
  expect(await attempts.take('account:0', 1, 1_000)).toMatchObject({ count: 1 });
});
