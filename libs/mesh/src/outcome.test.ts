import { Metadata, status } from '@grpc/grpc-js';
import { errorTable, type ErrorCode, problem } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { readProblem, statusOf, writeProblem } from './outcome.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

describe('a Problem', () => {
  it.each(codes)('%s survives the way through gRPC', (code) => {
    const trailer = new Metadata();
    const sent = problem(code, 'Grüße: "x", y', 3);
    writeProblem(sent, trailer);
    expect(statusOf(sent)).toEqual({ code: status[errorTable[code].grpc], details: code });
    expect(readProblem({ code: statusOf(sent).code, metadata: trailer })).toEqual(sent);
  });

  it.each([
    [status.UNAVAILABLE, 'unavailable'],
    [status.DEADLINE_EXCEEDED, 'deadline_exceeded'],
    [status.CANCELLED, 'cancelled'],
    [status.INTERNAL, 'internal'],
    [status.UNIMPLEMENTED, 'internal'],
    [status.UNAUTHENTICATED, 'internal'],
    [status.RESOURCE_EXHAUSTED, 'internal'],
    [status.UNKNOWN, 'internal'],
  ] as const)('stands for status %i that nobody worded', (code, expected) => {
    expect(readProblem({ code, metadata: new Metadata() })).toEqual(problem(expected));
    expect(readProblem({ code })).toEqual(problem(expected));
  });

  it.each(['', 'null', '{"problem":"constructor"}', '{"problem":"nonsense"}', '{"problem":', '[]'])('is not made of %j', (json) => {
    const metadata = new Metadata();
    metadata.set('x-problem-bin', Buffer.from(json));
    expect(readProblem({ code: status.UNAVAILABLE, metadata })).toEqual(problem('unavailable'));
  });

  it('keeps only what a Problem has', () => {
    const metadata = new Metadata();
    metadata.set('x-problem-bin', Buffer.from('{"problem":"not_found","detail":5,"retryAfterS":-1,"stack":"..."}'));
    expect(readProblem({ code: status.NOT_FOUND, metadata })).toEqual(problem('not_found'));
  });
});
