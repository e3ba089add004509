/** Whatever a replica of auth does with its stream of answers, nobody is taken for another, and nobody waits longer than a call would. */
import { createHash, randomBytes } from 'node:crypto';
import { create, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type sendUnaryData, Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall, status } from '@grpc/grpc-js';
import {
  AnswersSchema,
  AuthService,
  isProblem,
  type QuestionsSchema,
  type ResolveRequest,
  ResolveRequestSchema,
  ResolveResponseSchema,
} from '@cloakroom/contracts';
import { createLogger, startTrace } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import type { OutgoingCall } from '../context.ts';
import { definitionOf } from '../contract.ts';
import { questionCountMax } from '../question-batch.ts';
import { connectMesh } from './grpc-client.ts';

type Questions = MessageShape<typeof QuestionsSchema>;
type Question = Questions['asked'][number];
type Stream = ServerDuplexStream<Questions, Buffer>;

const log = createLogger('test', 'silent');
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const tokenOf = ({ request }: Question): string => fromBinary(ResolveRequestSchema, request).token;
const responseFor = (token: string, named = token): Uint8Array =>
  toBinary(
    ResolveResponseSchema,
    create(ResolveResponseSchema, { tokenSha256: sha256(token), audience: 'cart', session: { handle: named } }),
  );
/** @param token the one that the answer is about */
const answerTo = (question: Question, token = tokenOf(question)) => ({ id: question.id, response: responseFor(token) });
const bytesOf = (answered: object[], more: object = {}): Buffer =>
  Buffer.from(toBinary(AnswersSchema, create(AnswersSchema, { answered, ...more })));

interface Replica {
  readonly port: number;
  readonly streams: Stream[];
  readonly messages: Questions[];
  readonly alone: string[];
  kill(): void;
}

/** A replica that a test plays: `hear` gets each message, unary calls are answered. @param hear undefined: an older build */
async function replica(hear: ((questions: Questions, stream: Stream) => void) | undefined, port = 0): Promise<Replica> {
  const streams: Stream[] = [];
  const messages: Questions[] = [];
  const alone: string[] = [];
  const resolve = ({ request }: ServerUnaryCall<ResolveRequest, Buffer>, callback: sendUnaryData<Buffer>): void => {
    alone.push(request.token);
    callback(null, Buffer.from(responseFor(request.token)));
  };
  const resolveStream = (stream: Stream): void => {
    streams.push(stream);
    stream.on('error', () => undefined);
    stream.on('data', (questions: Questions) => {
      messages.push(questions);
      hear?.(questions, stream);
    });
  };
  const server = new Server({ 'grpc.max_concurrent_streams': 5_000 });
  server.addService(definitionOf(AuthService), hear === undefined ? { resolve } : { resolve, resolveStream });
  const bound = await new Promise<number>((done, fail) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) => (error === null ? done(at) : fail(error))),
  );
  stops.push(() => server.forceShutdown());
  return { port: bound, streams, messages, alone, kill: () => server.forceShutdown() };
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

it('asks the questions of one turn in one message, and tells each asker the answer to its own', async () => {
  const { messages, alone, port } = await replica(({ asked }, stream) => {
    // In another order, and each in a message of its own.
    for (const question of asked.toReversed()) stream.write(bytesOf([answerTo(question)]));
  });
  const ask = asker(port);
  expect(await Promise.all(tokens(50).map((token) => ask(token)))).toEqual(tokens(50));
  expect(messages.map(({ asked }) => asked.length)).toEqual([50]);
  expect(alone).toEqual([]);
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

it('looks at no answer that comes after the deadline of its question, and goes on', async () => {
  const { streams, messages, alone, port } = await replica(({ asked }, stream) => {
    // Somebody else's answer, late: nobody may get it.
    if (asked.some((question) => tokenOf(question) === 'late')) return;
    const late = messages.flatMap((message) => message.asked).find((question) => tokenOf(question) === 'late')!;
    stream.write(bytesOf([answerTo(late, 'somebody else'), ...asked.map((question) => answerTo(question))]));
  });
  const ask = asker(port);
  expect(await ask('late', { budgetMs: 60 })).toBe('deadline_exceeded');
  expect(await ask('next')).toBe('next');
  expect(await ask('third', { budgetMs: 100 })).toBe('connection_lost');
  expect([streams.length, alone]).toEqual([1, []]);
});

it('ends the questions of a killed replica as lost, and begins to count anew on the next stream', async () => {
  const killed = await replica(() => undefined);
  const ask = asker(killed.port);
  const asked = Promise.all(tokens(20).map((token) => ask(token, { budgetMs: 5_000 })));
  await vi.waitFor(() => expect(killed.messages.flatMap((message) => message.asked)).toHaveLength(20));
  killed.kill();
  expect(new Set(await asked)).toEqual(new Set(['connection_lost']));
  const again = await replica(reply, killed.port);
  await vi.waitFor(async () => expect(await ask('again')).toBe('again'));
  expect(again.messages[0]!.asked.map(({ id }) => id)).toEqual([1]);
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
