import { expect, it } from 'vitest';
import { withoutStack } from './outgoing-call.ts';

it('makes errors without a stack meanwhile, and with one afterwards, even when the work throws', () => {
  const limit = Error.stackTraceLimit;
  expect(withoutStack(() => new Error('inside')).stack).toBe('Error: inside');
  expect(() =>
    withoutStack(() => {
      throw new TypeError('of the work');
    }),
  ).toThrow(TypeError);
  expect(Error.stackTraceLimit).toBe(limit);
  expect(new Error('outside').stack).toContain('grpc-client.test');
});
