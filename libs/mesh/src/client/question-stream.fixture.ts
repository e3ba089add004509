/** A replica of auth that a test plays: it gets the questions of each stream, and answers whatever the test wants. */
import { createHash } from 'node:crypto';
import { create, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type sendUnaryData, Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall } from '@grpc/grpc-js';
import {
  AnswersSchema,
  AuthService,
  type QuestionsSchema,
  type ResolveRequest,
  ResolveRequestSchema,
  ResolveResponseSchema,
} from '@cloakroom/contracts';
import { definitionOf } from '../contract.ts';

export type Questions = MessageShape<typeof QuestionsSchema>;
export type Question = Questions['asked'][number];
export type Stream = ServerDuplexStream<Questions, Buffer>;

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
export const tokenOf = ({ request }: Question): string => fromBinary(ResolveRequestSchema, request).token;
const responseFor = (token: string, named = token): Uint8Array =>
  toBinary(
    ResolveResponseSchema,
    create(ResolveResponseSchema, { tokenSha256: sha256(token), audience: 'cart', session: { handle: named } }),
  );
/** @param token the one that the answer is about */
export const answerTo = (question: Question, token = tokenOf(question)) => ({ id: question.id, response: responseFor(token) });
export const bytesOf = (answered: object[], more: object = {}): Buffer =>
  Buffer.from(toBinary(AnswersSchema, create(AnswersSchema, { answered, ...more })));

export interface Replica {
  readonly port: number;
  readonly streams: Stream[];
  readonly messages: Questions[];
  /** Tokens that were asked by calls of their own. */
  readonly alone: string[];
  kill(): void;
}

/** `hear` gets each message; calls of their own are answered. @param hear undefined: an older build */
export async function openReplica(hear: ((questions: Questions, stream: Stream) => void) | undefined, port = 0): Promise<Replica> {
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
  return { port: bound, streams, messages, alone, kill: () => server.forceShutdown() };
}
