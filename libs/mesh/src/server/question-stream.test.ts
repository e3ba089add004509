/** A question on a stream is served as a call of its own is, and a client that breaks the rules of a stream loses it. */
import { randomBytes } from 'node:crypto';
import { create, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import {
  AnswersSchema,
  AuthService,
  problem,
  type Problem,
  QuestionsSchema,
  ResolveRequestSchema,
  type ResolveRequest,
} from '@cloakroom/contracts';
import { createLogger, startTrace, systemClock } from '@cloakroom/platform';
import { watchSpans } from '@cloakroom/testing';
import { afterEach, expect, it, vi } from 'vitest';
import type { OutgoingCall, RequestContext, Timing } from '../context.ts';
import { connectMesh } from '../client/grpc-client.ts';
import { asIs, nameOf } from '../contract.ts';
import { readProblem } from '../outcome.ts';
import { questionCountMax } from '../question-batch.ts';
import { openLoadShedder } from './load-shedding.ts';
import { implement, type Rpcs } from './rpc.ts';
import { serveMesh } from './serve-service.ts';
import type { Admission } from './server-call.ts';

type Resolving = (ctx: RequestContext, request: ResolveRequest) => Promise<object>;
type Answers = MessageShape<typeof AnswersSchema>;

const log = createLogger('test', 'silent');
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** @param admission refuses calls of one experiment, so that both ways of asking can be refused */
async function auth(resolve: Resolving, options: { readonly inFlightMax?: number; readonly admit?: Admission['admit'] } = {}) {
  const admission: Admission = {
    admit: options.admit ?? (() => Promise.resolve({ identity: undefined })),
    standing: () => undefined,
    onRevocation: () => () => undefined,
  };
  const rest = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve(problem('not_found'))]));
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: undefined,
    services: [implement(AuthService, { ...rest, resolve } as unknown as Rpcs<typeof AuthService>)],
    admission,
    clock: systemClock,
    log,
    shedder: options.inFlightMax === undefined ? undefined : openLoadShedder({ inFlightMax: options.inFlightMax, loopLagMaxMs: 60_000 }),
  });
  stops.push(() => server.stop());
  return server;
}

function connect(port: number, onStream: boolean) {
  const { client, close } = connectMesh(AuthService, {
    address: `localhost:${port}`,
    tls: undefined,
    log,
    ...(onStream && { onStream: { resolve: () => true } }),
  });
  stops.push(close);
  return client;
}
const outgoing = (changes: Partial<OutgoingCall> = {}): OutgoingCall => ({ budgetMs: 900, trace: startTrace(randomBytes), ...changes });

/** A client that obeys no rule. */
function rawStream(port: number) {
  const client = new Client(`localhost:${port}`, credentials.createInsecure());
  stops.push(() => client.close());
  const { resolveStream } = AuthService.method;
  const decode = (bytes: Buffer): Answers => fromBinary(AnswersSchema, bytes);
  const stream: ClientDuplexStream<Buffer, Answers> = client.makeBidiStreamRequest(`/${nameOf(resolveStream)}`, asIs, decode);
  stops.push(() => stream.cancel());
  const answered: Answers['answered'] = [];
  let ended: StatusObject | undefined;
  stream.on('error', (_error: ServiceError) => undefined);
  stream.on('status', (status: StatusObject) => (ended = status));
  const ask = (ids: readonly number[], more: { readonly withdrawn?: number[]; readonly budgetMs?: number } = {}): void => {
    const request = toBinary(ResolveRequestSchema, create(ResolveRequestSchema, { token: 't' }));
    const asked = ids.map((id) => ({ id, budgetMs: more.budgetMs ?? 900, request }));
    stream.write(Buffer.from(toBinary(QuestionsSchema, create(QuestionsSchema, { asked, withdrawn: more.withdrawn ?? [] }))));
  };
  const listen = (): void => void stream.on('data', (message: Answers) => answered.push(...message.answered));
  return { stream, ask, listen, answered, ended: () => ended };
}

const outcomes: readonly [string, Resolving][] = [
  ['an answer', () => Promise.resolve({ audience: 'cart' })],
  ['a Problem with its detail and its time to come again', () => Promise.resolve(problem('identity_unavailable', 'the store is away', 7))],
  ['a handler that throws', () => Promise.reject(new Error('a defect'))],
  ['a deadline that passes', (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve({})))],
];
it.each(outcomes)('ends with the same outcome as a call of its own: %s', async (_what, resolve) => {
  const { port } = await auth(resolve);
  const asker = (onStream: boolean) => {
    const client = connect(port, onStream);
    return async () => {
      const timings: Timing[] = [];
      const answer = await client.resolve(outgoing({ budgetMs: 400, onTiming: (entries) => timings.push(...entries) }), { token: 't' });
      return { answer, hops: timings.map(({ name }) => name) };
    };
  };
  const [onStream, alone] = [asker(true), asker(false)];
  // On a crowded machine one of the two may run out of its time while the connections are made.
  await vi.waitFor(async () => expect(await onStream()).toEqual(await alone()), { timeout: 10_000 });
});

it.each(['forbidden', 'invalid_passport'] as const)('is refused with %s as a call of its own is', async (code) => {
  const reached = vi.fn<Resolving>(() => Promise.resolve({}));
  // The stream itself is let in: certificates may have changed since it was opened.
  const { port } = await auth(reached, {
    admit: ({ name }) => Promise.resolve(name.endsWith('/Resolve') ? problem(code) : { identity: undefined }),
  });
  for (const onStream of [true, false])
    expect(await connect(port, onStream).resolve(outgoing(), { token: 't' })).toMatchObject({ problem: code });
  expect(reached).not.toHaveBeenCalled();
});

it('gives the handler the trace, the experiment and the deadline of each question alone', async () => {
  const seen: RequestContext[] = [];
  const { port } = await auth((ctx) => {
    seen.push(ctx);
    return Promise.resolve({});
  });
  const client = connect(port, true);
  const calls = ['ada', undefined].map((experiment, at) => outgoing({ experiment, budgetMs: 300 * (at + 1) }));
  await Promise.all(calls.map((call) => client.resolve(call, { token: 't' })));
  expect(seen.map(({ experiment, trace }) => [experiment, trace.traceId])).toEqual(
    calls.map(({ experiment, trace }) => [experiment, trace.traceId]),
  );
  expect(seen[0]!.deadline.remainingMs()).toBeLessThanOrEqual(300);
  expect(seen[0]).not.toBe(seen[1]);
});

it('shows each question as a hop of its own: the client and the server span of the method, in the trace of its request', async () => {
  const watch = await watchSpans();
  stops.push(() => watch.stop());
  const { port } = await auth(() => Promise.resolve({}));
  const client = connect(port, true);
  const calls = [outgoing(), outgoing()];
  await Promise.all(calls.map((call) => client.resolve(call, { token: 't' })));
  for (const { trace } of calls) {
    const hops = watch.spans.filter(({ traceId }) => traceId === trace.traceId);
    const [sent, served] = [hops.find(({ kind }) => kind === 'client')!, hops.find(({ kind }) => kind === 'server')!];
    expect(hops.map(({ name }) => name)).toEqual(Array(2).fill(nameOf(AuthService.method.resolve)));
    expect([sent.parentId, served.parentId]).toEqual([trace.spanId, sent.spanId]);
  }
});

it('sheds what is too much, question by question, and answers the others', async () => {
  let gate = Promise.withResolvers<object>();
  gate.resolve({ audience: 'cart' });
  const { port } = await auth(() => gate.promise, { inFlightMax: 3 });
  const client = connect(port, true);
  const ask = () => client.resolve(outgoing({ budgetMs: 5_000 }), { token: 't' });
  // The stream is there before time counts.
  await vi.waitFor(async () => expect(await ask()).toHaveProperty('audience'));
  gate = Promise.withResolvers<object>();
  const asked = Array.from({ length: 5 }, ask);
  const shed = await Promise.all(asked.slice(3));
  expect(shed.map((answer) => (answer as Problem).problem)).toEqual(['unavailable', 'unavailable']);
  gate.resolve({ audience: 'cart' });
  expect((await Promise.all(asked.slice(0, 3))).map((answer) => 'audience' in answer)).toEqual([true, true, true]);
});

it('stops the work of a withdrawn question, answers it once, and goes on', async () => {
  const signals: AbortSignal[] = [];
  const gates: PromiseWithResolvers<object>[] = [];
  const { port } = await auth((ctx) => {
    signals.push(ctx.signal);
    const gate = Promise.withResolvers<object>();
    gates.push(gate);
    return gate.promise;
  });
  const raw = rawStream(port);
  raw.listen();
  raw.ask([1, 2]);
  await vi.waitFor(() => expect(signals).toHaveLength(2));
  raw.ask([], { withdrawn: [1, 1, 77] });
  await vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]));
  for (const gate of gates) gate.resolve({});
  await vi.waitFor(() => expect(raw.answered).toHaveLength(2));
  expect(raw.answered.map(({ id, status: code }) => [id, code])).toEqual([
    [1, status.CANCELLED],
    [2, status.OK],
  ]);
});

it('stops the work of all questions when the client is gone', async () => {
  const signals: AbortSignal[] = [];
  const { port } = await auth((ctx) => {
    signals.push(ctx.signal);
    return new Promise(() => undefined);
  });
  const raw = rawStream(port);
  raw.ask([1, 2, 3]);
  await vi.waitFor(() => expect(signals).toHaveLength(3));
  raw.stream.cancel();
  await vi.waitFor(() => expect(signals.every(({ aborted }) => aborted)).toBe(true));
});

it.each([
  ['asks an id twice', [1, 1]],
  ['asks ids that do not count up', [5, 4]],
  ['asks more in one message than a message may hold', Array.from({ length: 300 }, (_, at) => at + 1)],
])('ends the stream of a client that %s', async (_what, ids) => {
  const { port } = await auth(() => new Promise(() => undefined));
  const raw = rawStream(port);
  raw.listen();
  raw.ask(ids);
  await vi.waitFor(() => expect(raw.ended()).toBeDefined());
  expect(readProblem(raw.ended()!)).toMatchObject({ problem: 'invalid_request' });
});

it('reads no more from a client whose questions wait, however many it sends', async () => {
  let open = 0;
  const { port } = await auth(
    () => {
      open += 1;
      return new Promise(() => undefined);
    },
    { inFlightMax: 100_000 },
  );
  const raw = rawStream(port);
  for (let at = 0; at < 40; at += 1)
    raw.ask(
      Array.from({ length: 250 }, (_, one) => at * 250 + one + 1),
      { budgetMs: 900 },
    );
  await vi.waitFor(() => expect(open).toBeGreaterThanOrEqual(questionCountMax));
  await new Promise((turn) => setImmediate(turn));
  expect(open).toBeLessThan(questionCountMax + 256);
});

it('answers what was asked before it stops, and tells the client to ask elsewhere', async () => {
  const gate = Promise.withResolvers<object>();
  const reached = vi.fn<Resolving>(() => gate.promise);
  const server = await auth(reached);
  const client = connect(server.port, true);
  const asked = client.resolve(outgoing(), { token: 't' });
  await vi.waitFor(() => expect(reached).toHaveBeenCalled());
  const stopped = server.stop();
  gate.resolve({ audience: 'cart' });
  expect(await asked).toMatchObject({ audience: 'cart' });
  let isStopped = false;
  void stopped.then(() => (isStopped = true));
  // Well within the grace after which it would cut.
  await vi.waitFor(() => expect(isStopped).toBe(true), { timeout: 3_000 });
});
