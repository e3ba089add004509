import { create } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type ResolveResponse, ResolveResponseSchema } from '@cloakroom/contracts';
import { openRetryBudget, type OutgoingCall } from '@cloakroom/mesh';
import { startTrace } from '@cloakroom/platform';
import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { resolveAtAuth } from './resolve-at-auth.ts';

const request = { token: 't', audience: 'cart', touch: true };
const outgoing = (changes: Partial<OutgoingCall> = {}): OutgoingCall => ({ budgetMs: 800, trace: startTrace(randomBytes), ...changes });
const from = (handle: string): ResolveResponse => create(ResolveResponseSchema, { passport: handle });
const codeOf = (answer: ResolveResponse | Problem) => (isProblem(answer) ? answer.problem : answer.passport);

function asking(answers: readonly (() => Promise<ResolveResponse | Problem>)[], hedge = false) {
  const calls: OutgoingCall[] = [];
  const resolve = resolveAtAuth({
    resolve: (call) => {
      calls.push(call);
      return answers[Math.min(calls.length, answers.length) - 1]!();
    },
    retries: openRetryBudget(),
    hedge,
    nowMs: () => performance.now(),
  });
  return { calls, resolve };
}
const lost = () => Promise.resolve(problem('unavailable'));
const never = () => new Promise<never>(() => undefined);

it('asks again when the connection broke, with the time that is left', async () => {
  const { calls, resolve } = asking([lost, () => Promise.resolve(from('second'))]);
  expect(codeOf(await resolve(outgoing(), request))).toBe('second');
  expect(calls).toHaveLength(2);
  expect(calls[1]!.budgetMs).toBeLessThan(800);
});

it.each([
  ['a breaker that is open', problem('unavailable', undefined, 1)],
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

it.each([false, true])('repeats at most a tenth of the questions while every connection breaks (hedged: %s)', async (hedge) => {
  const { calls, resolve } = asking([lost], hedge);
  for (let i = 0; i < 500; i += 1) await resolve(outgoing(), request);
  expect(calls.length).toBeGreaterThan(500);
  expect(calls.length).toBeLessThanOrEqual(500 + 50 + 5);
});

it('asks another replica as well when the first is slow, takes the first answer and gives the other up', async () => {
  const { calls, resolve } = asking([never, () => Promise.resolve(from('other'))], true);
  expect(codeOf(await resolve(outgoing(), request))).toBe('other');
  await vi.waitFor(() => expect(calls.map(({ signal }) => signal?.aborted)).toEqual([true, false]));
});

it('prefers an answer to a failure, whichever came first', async () => {
  const slow = Promise.withResolvers<ResolveResponse>();
  const { calls, resolve } = asking([() => slow.promise, lost], true);
  const answer = resolve(outgoing(), request);
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  slow.resolve(from('first'));
  expect(codeOf(await answer)).toBe('first');
});

it('hedges no more than the budget allows: a slow auth is not asked twice as much', async () => {
  const slow = () => new Promise<ResolveResponse>((resolve) => void setTimeout(() => resolve(from('slow')), 300));
  const { calls, resolve } = asking([slow], true);
  const answers = await Promise.all(Array.from({ length: 100 }, () => resolve(outgoing(), request)));
  expect(new Set(answers.map(codeOf))).toEqual(new Set(['slow']));
  expect(calls.length).toBeLessThanOrEqual(100 + 10);
});

it('has a retry left for a connection that breaks, however many answers were slow before', async () => {
  const slow = () => new Promise<ResolveResponse>((resolve) => void setTimeout(() => resolve(from('slow')), 60));
  const slowCount = 9;
  const { calls, resolve } = asking([...Array<typeof slow>(slowCount + 2).fill(slow), lost, () => Promise.resolve(from('other'))], true);
  // A process that has just begun: of these, two are hedged.
  for (let i = 0; i < slowCount; i += 1) await resolve(outgoing(), request);
  expect(calls).toHaveLength(slowCount + 2);
  expect(codeOf(await resolve(outgoing(), request))).toBe('other');
});

it('tells both questions when the browser has gone', async () => {
  const gone = new AbortController();
  const { calls, resolve } = asking([never], true);
  void resolve(outgoing({ signal: gone.signal }), request);
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  gone.abort();
  expect(calls.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
});
