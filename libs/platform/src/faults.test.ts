import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { armFaults, experimentBelow, type Faults, meetsOwnFaults, type Trouble, troubleAt, undergo, withExperiment } from './faults.ts';
import { installTracer, runWithin, type Span, type Tracer } from './trace.ts';

/** Far longer than a test may take: only an early end lets one pass. */
const delayMs = 60_000;
const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };
const forAda =
  (trouble: Partial<Trouble>): Faults =>
  (_point, _at, experiment) =>
    Promise.resolve(experiment === 'ada' ? { ...none, ...trouble } : undefined);
const failure = () => new Error('a fault is switched on');
const wait = async () => undergo(await troubleAt('database', 'auth', experimentBelow()), failure);
afterEach(() => {
  armFaults(undefined);
  installTracer(undefined);
});

it('a wait ends with the last switch, and no longer fails then', async () => {
  armFaults(forAda({ delayMs, fails: true }));
  const waits = ['ada', 'bob'].map((who) => withExperiment(who, wait));
  await turn();
  armFaults(undefined);
  expect((await Promise.allSettled(waits)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});

it('a wait ends with its own switch while others are on', async () => {
  let on = true;
  const faults = forAda({ delayMs, fails: true, isOn: () => on });
  armFaults(faults);
  const waiting = withExperiment('ada', wait);
  await turn();
  armFaults(faults);
  on = false;
  armFaults(faults);
  await waiting;
});

it('a wait ends when its caller is gone', async () => {
  armFaults(forAda({ delayMs }));
  const caller = new AbortController();
  const waits = [caller.signal, AbortSignal.abort()].map((signal) => withExperiment('ada', wait, signal));
  await turn();
  caller.abort();
  await Promise.all(waits);
});

it('work of no experiment meets nothing of the experiment that runs', async () => {
  armFaults(forAda({ fails: true }));
  const [hers, everybodys] = await withExperiment('ada', () =>
    Promise.all([troubleAt('database', 'auth', experimentBelow()), troubleAt('database', 'auth', undefined)]),
  );
  expect([hers?.fails, everybodys]).toEqual([true, undefined]);
});

it('a call of no experiment meets nothing of the call in whose turn it is read', async () => {
  armFaults(forAda({ fails: true }));
  // Calls that share a stream: the end of one lets the next one in.
  const next = () => withExperiment(undefined, wait);
  const [hers, his] = await Promise.allSettled(withExperiment('ada', () => [wait(), next()]));
  expect([hers?.status, his?.status]).toEqual(['rejected', 'fulfilled']);
});

it('an experiment meets its own faults only while it has a switch', () => {
  expect(meetsOwnFaults('ada')).toBe(false);
  armFaults(forAda({}), (experiment) => experiment === 'ada');
  expect(['ada', 'bob', undefined].map(meetsOwnFaults)).toEqual([true, false, false]);
});

it('a wait is told to the span that waited, as long as it was, and to no other', async () => {
  installTracer({ observed: true } as Tracer);
  const attributes: Record<string, unknown>[] = [];
  const spanOf = (index: number): Span => ({ set: (more: object) => void Object.assign((attributes[index] ??= {}), more) }) as Span;
  armFaults(forAda({ delayMs: 20 }));
  const [since, sinceMs] = [performance.now(), Date.now()];
  await Promise.all([
    runWithin(spanOf(0), () => withExperiment('ada', async () => (await wait(), await wait()))),
    runWithin(spanOf(1), () => withExperiment('bob', wait)),
  ]);
  const tookMs = performance.now() - since;
  const waits = String(attributes[0]?.['observatory.fault.waits'])
    .split(', ')
    .map((text) => text.split(' ').map(Number) as [number, number]);
  expect(waits).toHaveLength(2);
  for (const [fromMs, lengthMs] of waits) {
    expect(fromMs).toBeGreaterThanOrEqual(sinceMs);
    // A timer of Node may be early by a millisecond.
    expect(lengthMs).toBeGreaterThan(19);
  }
  expect(waits[0]![1] + waits[1]![1]).toBeLessThanOrEqual(tookMs);
  expect(attributes[1]).toBeUndefined();
});
