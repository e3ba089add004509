/** Whatever a replica of auth does with its stream of answers, nobody is taken for another, and nobody waits longer than a call would. */
import { randomBytes } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { AuthService, isProblem, ResolveRequestSchema, ResolveResponseSchema } from '@cloakroom/contracts';
import { createLogger, startTrace } from '@cloakroom/platform';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { OutgoingCall } from '../context.ts';
import { questionCountMax } from '../question-batch.ts';
import { connectMesh } from './grpc-client.ts';
import { answerTo, bytesOf, openReplica, type Question, type Questions, sha256, type Stream, tokenOf } from './question-stream.fixture.ts';

const log = createLogger('test', 'silent');
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function replica(hear: ((questions: Questions, stream: Stream) => void) | undefined, port = 0) {
  const opened = await openReplica(hear, port);
  stops.push(opened.kill);
  return opened;
}

function asker(...ports: number[]) {
  const { client, close } = connectMesh(AuthService, {
    address: ports.map((port) => `localhost:${port}`).join(','),
    tls: undefined,
    log,
    onStream: {
      resolve: ({ token = '', audience = '' }, answer) => sha256(token).equals(answer.tokenSha256) && answer.audience === audience,
    },
  });
  stops.push(close);
  /** @returns the person that the answer names, or a code */
  return async (token: string, changes: Partial<OutgoingCall> = {}): Promise<string> => {
    const answer = await client.resolve(
      { budgetMs: 800, trace: startTrace(randomBytes), ...changes },
      { token, audience: 'cart', touch: true },
    );
    return isProblem(answer) ? answer.problem : answer.session!.handle;
  };
}

const reply = ({ asked }: Questions, stream: Stream): void => void stream.write(bytesOf(asked.map((question) => answerTo(question))));
const tokens = (count: number): string[] => Array.from({ length: count }, (_, at) => `token-${at}`);

/** The first call of a process loads much of grpc-js. On a crowded machine that alone may take longer than the second that a question has. */
beforeAll(async () => {
  const { port } = await replica(reply);
  const ask = asker(port);
  await vi.waitUntil(async () => (await ask('first')) === 'first', { timeout: 30_000 });
  for (const stop of stops.splice(0).toReversed()) await stop();
}, 40_000);

it('asks the questions of one turn in one message, and tells each asker the answer to its own', async () => {
  // So many messages may take longer than a second on a crowded machine. Then it is tried with another replica.
  await vi.waitFor(async () => {
    const { messages, alone, port } = await replica(({ asked }, stream) => {
      // In another order, and each in a message of its own.
      for (const question of asked.toReversed()) stream.write(bytesOf([answerTo(question)]));
    });
    const ask = asker(port);
    expect(await Promise.all(tokens(50).map((token) => ask(token)))).toEqual(tokens(50));
    expect(messages.map(({ asked }) => asked.length)).toEqual([50]);
    expect(alone).toEqual([]);
  });
});

it('takes with each question its own trace, experiment and what is left of its time', async () => {
  const { messages, port } = await replica(reply);
  const ask = asker(port);
  const trace = startTrace(randomBytes);
  await Promise.all([ask('a', { trace, experiment: 'ada', budgetMs: 300 }), ask('b', { budgetMs: 60_000 })]);
  const [a, b] = messages[0]!.asked;
  expect(a).toMatchObject({ id: 1, traceparent: trace.traceparent, experiment: 'ada' });
  expect([a!.budgetMs > 200 && a!.budgetMs <= 300, b!.experiment]).toEqual([true, '']);
  // The contract's own budget is the upper limit.
  expect(b!.budgetMs).toBeLessThanOrEqual(1_000);
  expect(b!.traceparent).not.toBe(trace.traceparent);
});

const wrongs: readonly [string, (questions: Question[]) => object[]][] = [
  ['two answers are swapped', ([a, b]) => [answerTo(a!, tokenOf(b!)), answerTo(b!, tokenOf(a!))]],
  ['an answer carries another digest', ([a]) => [answerTo(a!, 'somebody else')]],
  ['an answer carries no digest', ([a]) => [{ id: a!.id, response: new Uint8Array() }]],
  [
    'an answer is for another audience',
    ([a]) => [
      {
        id: a!.id,
        response: toBinary(ResolveResponseSchema, create(ResolveResponseSchema, { tokenSha256: sha256(tokenOf(a!)), audience: 'profile' })),
      },
    ],
  ],
  ['an answer cannot be read', ([a]) => [{ id: a!.id, response: Buffer.from([0xff, 0xff, 0xff]) }]],
  ['an answer is to what was never asked', ([a]) => [{ ...answerTo(a!), id: 99 }]],
  ['an answer comes twice in one message', ([a]) => [answerTo(a!), answerTo(a!)]],
];
it.each(wrongs)('drops the stream with all that is in flight where %s, and asks that replica by single calls', async (_what, wrong) => {
  const { streams, messages, alone, port } = await replica(({ asked }, stream) => stream.write(bytesOf(wrong(asked))));
  const ask = asker(port);
  // Two, since three lost answers in a row open the breaker.
  expect(await Promise.all([ask('a'), ask('b')])).toEqual(['connection_lost', 'connection_lost']);
  expect(await ask('a')).toBe('a');
  expect([streams.length, messages.length, alone]).toEqual([1, 1, ['a']]);
  await vi.waitFor(() => expect(streams[0]!.cancelled).toBe(true));
});

it('drops the stream where an answer comes a second time, later', async () => {
  let first: Question | undefined;
  const { port } = await replica(({ asked }, stream) => {
    first ??= asked[0]!;
    stream.write(bytesOf([answerTo(first)]));
  });
  const ask = asker(port);
  expect(await ask('a')).toBe('a');
  expect(await ask('b')).toBe('connection_lost');
});

it('ends the questions of a killed replica as lost, and uses none of their ids again', async () => {
  const killed = await replica(() => undefined);
  const ask = asker(killed.port);
  const asked = Promise.all(tokens(20).map((token) => ask(token, { budgetMs: 5_000 })));
  await vi.waitFor(() => expect(killed.messages.flatMap((message) => message.asked)).toHaveLength(20));
  killed.kill();
  expect(new Set(await asked)).toEqual(new Set(['connection_lost']));
  const again = await replica(reply, killed.port);
  await vi.waitFor(async () => expect(await ask('again')).toBe('again'));
  const ids = (messages: readonly Questions[]) => messages.flatMap(({ asked }) => asked.map(({ id }) => id));
  expect(Math.min(...ids(again.messages))).toBeGreaterThan(Math.max(...ids(killed.messages)));
});

it('holds a stream to its bound: the rest of a flood is asked by single calls', async () => {
  const held: Question[] = [];
  const flooded = await replica(({ asked }) => void held.push(...asked));
  const ask = asker(flooded.port);
  const flood = Promise.all(tokens(questionCountMax + 100).map((token) => ask(token, { budgetMs: 5_000 })));
  // The contract gives each a second, so on a crowded machine some end before they are sent.
  const answers = await flood;
  expect(flooded.streams[0]!).toBeDefined();
  expect(flooded.alone).toHaveLength(100);
  expect(held.length).toBeLessThanOrEqual(questionCountMax);
  for (const { asked } of flooded.messages) {
    expect(asked.length).toBeLessThanOrEqual(256);
    expect(Buffer.concat(asked.map(({ request }) => request)).length).toBeLessThan(64 * 1024);
  }
  expect(new Set(answers.slice(0, questionCountMax))).toEqual(new Set(['deadline_exceeded']));
  expect(new Set(answers.slice(questionCountMax)).size).toBeGreaterThan(0);
});

it('leaves a stream that stalls: its questions end with their own deadlines, and the next get a new one', async () => {
  const { streams, port } = await replica((questions, stream) => {
    if (stream !== streams[0]) reply(questions, stream);
  });
  const ask = asker(port);
  expect(await ask('a', { budgetMs: 300 })).toBe('deadline_exceeded');
  expect(await ask('b')).toBe('b');
  await vi.waitFor(() => expect(streams.map((stream) => stream.cancelled)).toEqual([true, false]));
});

it('withdraws a question whose asker left, and answers the others on the same stream', async () => {
  const gone = new AbortController();
  const { streams, messages, port } = await replica((questions, stream) => {
    if (questions.withdrawn.length > 0) reply(messages[0]!, stream);
  });
  const ask = asker(port);
  const answers = Promise.all([ask('a', { signal: gone.signal }), ask('b')]);
  await vi.waitFor(() => expect(messages).toHaveLength(1));
  gone.abort();
  expect(await answers).toEqual(['cancelled', 'b']);
  expect([messages[1]!.withdrawn, streams.length]).toEqual([[1], 1]);
});

it('sends nothing of a question whose asker leaves within the turn', async () => {
  const gone = new AbortController();
  const { messages, port } = await replica(reply);
  const ask = asker(port);
  const left = ask('a', { signal: gone.signal });
  gone.abort();
  expect([await left, await ask('b')]).toEqual(['cancelled', 'b']);
  expect(messages.flatMap(({ asked, withdrawn }) => [...asked.map(tokenOf), ...withdrawn])).toEqual(['b']);
});

it('asks an older build by single calls, and looks for the stream once', async () => {
  const old = await replica(undefined);
  const ask = asker(old.port);
  expect(await Promise.all(tokens(5).map((token) => ask(token)))).toEqual(tokens(5));
  expect(await ask('later')).toBe('later');
  expect([old.alone.toSorted(), old.streams.length]).toEqual([[...tokens(5), 'later'].toSorted(), 0]);
});

it('asks a replica of today on its stream, and one of yesterday beside it by single calls', async () => {
  const [old, today] = [await replica(undefined), await replica(reply)];
  const ask = asker(old.port, today.port);
  await vi.waitFor(async () => {
    expect(await Promise.all(tokens(10).map((token) => ask(token)))).toEqual(tokens(10));
    expect([old.alone.length > 0, today.messages.length > 0]).toEqual([true, true]);
  });
  expect(today.alone).toEqual([]);
});

it('asks no more on a stream whose server is ending, and waits for the answers there', async () => {
  const { streams, port } = await replica((questions, stream) => {
    if (stream !== streams[0]) return reply(questions, stream);
    stream.write(bytesOf([], { ending: true }));
  });
  const ask = asker(port);
  const first = ask('a', { budgetMs: 5_000 });
  await vi.waitFor(async () => expect([await ask('b', { budgetMs: 100 }), streams.length]).toEqual(['b', 2]));
  streams[0]!.write(
    bytesOf([answerTo({ id: 1, request: toBinary(ResolveRequestSchema, create(ResolveRequestSchema, { token: 'a' })) } as Question)]),
  );
  expect(await first).toBe('a');
  await vi.waitFor(() => expect(streams.map((stream) => stream.cancelled)).toEqual([true, false]));
});

it('tells the refusal of a stream to everybody who asked on it', async () => {
  const { streams, port } = await replica((_questions, stream) => {
    stream.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'no' });
  });
  const ask = asker(port);
  expect(await Promise.all([ask('a'), ask('b')])).toEqual(['connection_lost', 'connection_lost']);
  expect(streams).toHaveLength(1);
});
