import type { ArgumentsHost } from '@nestjs/common';
import type { Logger } from '@cloakroom/platform/process-life';
import { expect, it } from 'vitest';
import { RefusalFilter } from './refusal.filter.ts';

/** @returns how the filter logs the error, for a page whose connection is there or gone */
function loggedAs(error: Error, destroyed: boolean): string[] {
  const levels: string[] = [];
  const log = { error: () => levels.push('error'), debug: () => levels.push('debug') };
  const reply = {
    raw: { socket: { destroyed } },
    status: () => reply,
    code: () => reply,
    type: () => reply,
    header: () => reply,
    send: () => reply,
  };
  const host = { switchToHttp: () => ({ getResponse: () => reply }) } as unknown as ArgumentsHost;
  new RefusalFilter(log as unknown as Logger).catch(error, host);
  return levels;
}

const aborted = () => new DOMException('This operation was aborted', 'AbortError');

it('work that ends because its page has left is no error, and any other surprise is', () => {
  expect(loggedAs(aborted(), true)).toEqual(['debug']);
  expect(loggedAs(aborted(), false)).toEqual(['error']);
  expect(loggedAs(new Error('broken'), true)).toEqual(['error']);
});
