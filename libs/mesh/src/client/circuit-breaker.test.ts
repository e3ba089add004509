import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { type BreakerState, openBreaker, type Permit } from './circuit-breaker.ts';

function stage() {
  let nowMs = 0;
  let answers = false;
  let probes = 0;
  const timers: { atMs: number; fire: () => void }[] = [];
  const changes: BreakerState[] = [];
  const breaker = openBreaker({
    nowMs: () => nowMs,
    probe: () => {
      probes += 1;
      return Promise.resolve(answers);
    },
    wait: (durationMs, then) => {
      const timer = { atMs: nowMs + durationMs, fire: then };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer), 1) };
    },
    onChange: (state) => changes.push(state),
  });
  const admit = (): Permit => {
    const permit = breaker.admit();
    if (isProblem(permit)) throw new Error('refused');
    return permit;
  };
  const advance = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms;
    for (;;) {
      const next = timers.filter((timer) => timer.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      timers.splice(timers.indexOf(next), 1);
      nowMs = next.atMs;
      next.fire();
      await Promise.resolve();
      await Promise.resolve();
    }
    nowMs = untilMs;
  };
  const fail = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) {
      const permit = admit();
      await advance(800);
      permit.settle('failure');
    }
  };
  return { breaker, changes, admit, advance, fail, heal: () => (answers = true), probes: () => probes };
}

it('refuses at once after three calls that nobody answered, and says when to come again', async () => {
  const { breaker, fail } = stage();
  await fail(2);
  expect(breaker.state).toBe('closed');
  await fail(1);
  expect(breaker.admit()).toEqual({ problem: 'unavailable', retryAfterS: 1 });
});

it('stays closed for failures with answers between, for cancelled calls and for a peer that says no', async () => {
  const { breaker, admit, fail } = stage();
  for (let i = 0; i < 3; i += 1) {
    await fail(2);
    admit().settle('answer');
  }
  for (let i = 0; i < 20; i += 1) admit().settle('nothing');
  expect(breaker.state).toBe('closed');
});

it('stays closed while one replica of two hangs and the other answers', async () => {
  const { breaker, admit, advance } = stage();
  const hanging = Array.from({ length: 8 }, admit);
  for (let i = 0; i < 9; i += 1) admit().settle('answer');
  await advance(800);
  for (const permit of hanging) permit.settle('failure');
  expect(breaker.state).toBe('closed');
});

it('opens for a peer that answers only now and then', async () => {
  const { breaker, admit, advance } = stage();
  const hanging = Array.from({ length: 8 }, admit);
  for (let i = 0; i < 2; i += 1) admit().settle('answer');
  await advance(800);
  for (const permit of hanging) permit.settle('failure');
  expect(breaker.state).toBe('open');
});

it('lets nobody wait while the probe is not answered, however long', async () => {
  const { breaker, fail, advance, probes } = stage();
  await fail(3);
  for (let i = 0; i < 100; i += 1) {
    await advance(500);
    expect(isProblem(breaker.admit())).toBe(true);
  }
  expect(probes()).toBeGreaterThan(90);
});

it('after an answered probe lets one through, and all when that one was answered', async () => {
  const { breaker, fail, advance, heal, admit, changes } = stage();
  await fail(3);
  heal();
  await advance(500);
  const trial = admit();
  expect(isProblem(breaker.admit())).toBe(true);
  trial.settle('answer');
  for (let i = 0; i < 5; i += 1) admit().settle('answer');
  expect(changes).toEqual(['open', 'half-open', 'closed']);
});

it('opens again when the one that was let through got no answer, and gives its place on when it was cancelled', async () => {
  const { breaker, fail, advance, heal, admit } = stage();
  await fail(3);
  heal();
  await advance(500);
  admit().settle('nothing');
  admit().settle('failure');
  expect(breaker.state).toBe('open');
  await advance(500);
  admit().settle('answer');
  expect(breaker.state).toBe('closed');
});

it('asks no more once it is closed down', async () => {
  const { breaker, fail, advance, probes } = stage();
  await fail(3);
  breaker.close();
  await advance(10_000);
  expect(probes()).toBe(0);
});
