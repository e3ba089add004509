/** A stream of questions by the time of a test: it is admitted anew when it is old or told to go, and looks at no answer that is late. */
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, status } from '@grpc/grpc-js';
import { AuthService, ResolveRequestSchema, type ResolveResponse } from '@cloakroom/contracts';
import { createLogger } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { answerTo, bytesOf, openReplica, type Question, type Stream, tokenOf } from './question-stream.fixture.ts';
import { openQuestionStreams } from './question-stream.ts';

const ageMaxMs = 5 * 60_000;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Streams to a replica that holds each question until the test answers it. */
async function holding(lastId = 0) {
  const held: { readonly question: Question; readonly stream: Stream }[] = [];
  const replica = await openReplica(({ asked }, stream) => void held.push(...asked.map((question) => ({ question, stream }))));
  const client = new Client(`127.0.0.1:${replica.port}`, credentials.createInsecure());
  let nowMs = 1_000_000;
  const { resolve: method, resolveStream } = AuthService.method;
  const all = openQuestionStreams({
    stream: resolveStream,
    method,
    secret: undefined,
    log: createLogger('test', 'silent'),
    nowMs: () => nowMs,
    lastId,
  });
  stops.push(
    replica.kill,
    () => client.close(),
    () => all.retire(),
  );
  /** @returns the person that the answer will name: nothing but the id decides who gets it. @param budgetMs far beyond the test's time by default */
  const begin = (token: string, budgetMs = 2 * ageMaxMs): { readonly named: Promise<string> } => {
    const ended = all.ask(client, {
      request: Buffer.from(toBinary(ResolveRequestSchema, create(ResolveRequestSchema, { token }))),
      deadlineMs: nowMs + budgetMs,
      traceparent: '',
      experiment: undefined,
      signal: undefined,
      belongs: () => true,
    });
    const named = ended.then((answer) => (answer?.answer as ResolveResponse | undefined)?.session?.handle ?? `lost: ${answer?.code}`);
    return { named };
  };
  /** Resolves when the question is at the replica. */
  const ask = async (token: string): Promise<{ readonly named: Promise<string> }> => {
    const begun = begin(token);
    await vi.waitFor(() => expect(held.map(({ question }) => tokenOf(question))).toContain(token));
    return begun;
  };
  const answer = (token: string): void => {
    const { question, stream } = held.find((one) => tokenOf(one.question) === token)!;
    stream.write(bytesOf([answerTo(question)]));
  };
  return { replica, retire: all.retire, held, begin, ask, answer, pass: (ms: number) => void (nowMs += ms) };
}

const ended = (streams: readonly Stream[]) => streams.map(({ cancelled }) => cancelled);

it('stays on its stream for five minutes', async () => {
  const { replica, ask, answer, pass } = await holding();
  const first = await ask('a');
  pass(ageMaxMs);
  const second = await ask('b');
  answer('b');
  answer('a');
  expect([await first.named, await second.named]).toEqual(['a', 'b']);
  expect(ended(replica.streams)).toEqual([false]);
});

const goings: readonly [string, (streams: Awaited<ReturnType<typeof holding>>) => void][] = [
  ['is older than five minutes', ({ pass }) => pass(ageMaxMs + 1)],
  ['is told to go, as by a renewed certificate', ({ retire }) => retire()],
];
it.each(goings)(
  'opens another stream when it %s: each asker gets its own answer, and the old one ends with its last',
  async (_what, go) => {
    const streams = await holding();
    const { replica, held, ask, answer } = streams;
    const old = [await ask('a'), await ask('b')];
    go(streams);
    const young = [await ask('c'), await ask('d')];
    expect(held.map(({ question, stream }) => [tokenOf(question), question.id, replica.streams.indexOf(stream)])).toEqual([
      ['a', 1, 0],
      ['b', 2, 0],
      ['c', 3, 1],
      ['d', 4, 1],
    ]);
    for (const token of ['d', 'b', 'c']) answer(token);
    expect(await Promise.all([old[1]!.named, ...young.map(({ named }) => named)])).toEqual(['b', 'c', 'd']);
    // One question is still in flight on the old one, so it waits.
    expect(ended(replica.streams)).toEqual([false, false]);
    answer('a');
    expect(await old[0]!.named).toBe('a');
    await vi.waitFor(() => expect(ended(replica.streams)).toEqual([true, false]));
  },
);

it('keeps no stream that is told to go while nothing is in flight', async () => {
  const { replica, retire, ask, answer } = await holding();
  const first = await ask('a');
  answer('a');
  expect(await first.named).toBe('a');
  retire();
  await vi.waitFor(() => expect(ended(replica.streams)).toEqual([true]));
});

it('takes no answer on a young stream to a question of an old one: it drops the young one, and the old one is answered', async () => {
  const { replica, retire, held, ask, answer } = await holding();
  const old = await ask('a');
  retire();
  const young = await ask('b');
  held[1]!.stream.write(bytesOf([answerTo(held[0]!.question)]));
  expect(await young.named).toMatch('lost');
  answer('a');
  expect(await old.named).toBe('a');
  await vi.waitFor(() => expect(ended(replica.streams)).toEqual([true, true]));
});

it('counts anew on new streams before its ids have no more room on the wire', async () => {
  const { replica, pass, held, ask, answer } = await holding(2 ** 31);
  for (const token of ['a', 'b', 'c']) {
    const asked = await ask(token);
    answer(token);
    expect(await asked.named).toBe(token);
    if (token === 'a') pass(ageMaxMs + 1);
  }
  expect(held.map(({ question }) => question.id)).toEqual([2 ** 31 + 1, 1, 2]);
  expect(ended(replica.streams)).toEqual([true, false]);
});

it('looks at no answer that comes after the deadline of its question, and goes on; a second one drops the stream', async () => {
  const { replica, held, begin, ask, answer } = await holding();
  // On a crowded machine the time may be over before anything was sent. Then another one is asked.
  await vi.waitFor(async () => {
    expect(await begin('late', 50).named).toBe(`lost: ${status.DEADLINE_EXCEEDED}`);
    expect(held.length).toBeGreaterThan(0);
  });
  const late = bytesOf([answerTo(held[0]!.question, 'somebody else')]);
  const next = await ask('next');
  held[0]!.stream.write(late);
  answer('next');
  expect(await next.named).toBe('next');
  const third = await ask('third');
  expect(ended(replica.streams)).toEqual([false]);
  held[0]!.stream.write(late);
  expect(await third.named).toBe(`lost: ${status.UNAVAILABLE}`);
});
