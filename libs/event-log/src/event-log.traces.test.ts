import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { traceHeaders, traceOfCause, traceOfRecord } from './event-log.traces.ts';
import { startTrace } from '@cloakroom/platform';

it('carries the trace and the experiment of a request through the headers of its record', () => {
  const trace = startTrace(randomBytes);
  expect(traceOfRecord({ headers: traceHeaders(traceOfCause({ trace, experiment: 'b' })) })).toEqual({
    traceparent: trace.traceparent,
    experiment: 'b',
  });
});

it('writes no header for what nobody asked for', () => {
  expect(traceHeaders(traceOfCause(undefined))).toEqual({});
});

it('does not pass on what is no traceparent', () => {
  expect(traceOfRecord({ headers: { traceparent: Buffer.from('00-0-0-01') } })).toEqual({ traceparent: null, experiment: null });
});
