import { Metadata, status } from '@grpc/grpc-js';
import { errorTable, problem, toldCodes } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { readProblem, statusOf, writeProblem } from './outcome.ts';

describe('a Problem', () => {
  it.each(toldCodes)('%s survives the way through gRPC', (code) => {
    const trailer = new Metadata();
    const sent = problem(code, 'Grüße: "x", y', 3);
    writeProblem(sent, trailer);
    expect(statusOf(sent)).toEqual({ code: status[errorTable[code].grpc], details: code });
    expect(readProblem({ code: statusOf(sent).code, metadata: trailer })).toEqual(sent);
  });

  it.each([
    [status.UNAVAILABLE, 'connection_lost'],
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
    expect(readProblem({ code: status.UNAVAILABLE, metadata })).toEqual(problem('connection_lost'));
  });

  it('of a connection that broke behind a service is unavailable to its caller, whose own connection stands', () => {
    const trailer = new Metadata();
    writeProblem(problem('connection_lost'), trailer);
    const { code, details } = statusOf(problem('connection_lost'));
    expect(details).toBe('unavailable');
    expect(readProblem({ code, metadata: trailer })).toEqual(problem('unavailable'));
  });

  it('keeps only what a Problem has', () => {
    const metadata = new Metadata();
    metadata.set('x-problem-bin', Buffer.from('{"problem":"not_found","detail":5,"retryAfterS":-1,"stack":"..."}'));
    expect(readProblem({ code: status.NOT_FOUND, metadata })).toEqual(problem('not_found'));
  });
});
