import { create } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type ResolveResponse, ResolveResponseSchema } from '@cloakroom/contracts';
import { openRetryBudget, type OutgoingCall } from '@cloakroom/mesh';
import { armFaults, startTrace } from '@cloakroom/platform';
import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { resolveAtAuth } from './resolve-at-auth.ts';

afterEach(() => armFaults(undefined));

const request = { token: 't', audience: 'cart', touch: true };
const outgoing = (changes: Partial<OutgoingCall> = {}): OutgoingCall => ({ budgetMs: 800, trace: startTrace(randomBytes), ...changes });
const from = (handle: string): ResolveResponse => create(ResolveResponseSchema, { passport: handle });
const codeOf = (answer: ResolveResponse | Problem) => (isProblem(answer) ? answer.problem : answer.passport);

function asking(answers: readonly (() => Promise<ResolveResponse | Problem>)[]) {
  const calls: OutgoingCall[] = [];
  const resolve = resolveAtAuth({
    resolve: (call) => {
      calls.push(call);
      return answers[Math.min(calls.length, answers.length) - 1]!();
    },
    retries: openRetryBudget(),
    nowMs: () => performance.now(),
  });
  return { calls, resolve };
}
const lost = () => Promise.resolve(problem('connection_lost'));

it('asks again when the connection broke, with the time that is left', async () => {
  const { calls, resolve } = asking([lost, () => Promise.resolve(from('second'))]);
  expect(codeOf(await resolve(outgoing(), request))).toBe('second');
  expect(calls).toHaveLength(2);
  expect(calls[1]!.budgetMs).toBeLessThan(800);
});

it('gives up the first question and its repetition alike when the browser leaves', async () => {
  const gone = new AbortController();
  const { calls, resolve } = asking([lost, () => Promise.resolve(from('second'))]);
  await resolve(outgoing({ signal: gone.signal }), request);
  gone.abort();
  expect(calls.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
});

it.each([
  ['a breaker that is open', problem('unavailable', undefined, 1)],
  ['auth that says it ends', problem('unavailable')],
  ['auth itself saying that it cannot', problem('identity_unavailable', undefined, 1)],
  ['time that ran out', problem('deadline_exceeded')],
  ['a browser that left', problem('cancelled')],
])('asks once for %s', async (_what, answer) => {
  const { calls, resolve } = asking([() => Promise.resolve(answer)]);
  expect(await resolve(outgoing(), request)).toEqual(answer);
  expect(calls).toHaveLength(1);
});

it('asks once when no time is left for a second answer', async () => {
  const { calls, resolve } = asking([lost]);
  await resolve(outgoing({ budgetMs: 150 }), request);
  expect(calls).toHaveLength(1);
});

it('repeats at most a tenth of the questions while every connection breaks', async () => {
  const { calls, resolve } = asking([lost]);
  for (let i = 0; i < 500; i += 1) await resolve(outgoing(), request);
  expect(calls.length).toBeGreaterThan(500);
  expect(calls.length).toBeLessThanOrEqual(500 + 50 + 5);
});

it('asks an auth that is slow once, however many wait: its load does not grow', async () => {
  const answered = Promise.withResolvers<ResolveResponse>();
  const { calls, resolve } = asking([() => answered.promise]);
  const answers = Array.from({ length: 100 }, () => resolve(outgoing(), request));
  await new Promise((turn) => setImmediate(turn));
  answered.resolve(from('slow'));
  expect(new Set((await Promise.all(answers)).map(codeOf))).toEqual(new Set(['slow']));
  expect(calls).toHaveLength(100);
});

it('has a retry left for a connection that breaks, however many answers were slow before', async () => {
  const slow = () => new Promise<ResolveResponse>((resolve) => void setTimeout(() => resolve(from('slow')), 20));
  const { calls, resolve } = asking([...Array<typeof slow>(30).fill(slow), lost, () => Promise.resolve(from('other'))]);
  await Promise.all(Array.from({ length: 30 }, () => resolve(outgoing(), request)));
  expect(calls).toHaveLength(30);
  expect(codeOf(await resolve(outgoing(), request))).toBe('other');
});

it('lets no experiment that loses its own answers drain the budget of the others', async () => {
  armFaults(() => Promise.resolve(undefined));
  const { calls, resolve } = asking([lost]);
  await Promise.all(Array.from({ length: 30 }, () => resolve(outgoing({ experiment: 'ada' }), request)));
  const before = calls.length;
  await resolve(outgoing(), request);
  expect(calls).toHaveLength(before + 2);
});
