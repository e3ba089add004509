import { expect, it } from 'vitest';
import { createLogger } from './log.ts';

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  write(createLogger('test', 'info', { write: (line) => (text += line) }));
  return text;
}

it('writes no credential and no e-mail address, however deep in an object it stands', () => {
  const secret = 'v1.local.tag.secret.mac';
  const text = linesOf((log) => {
    log.info({ token: secret, request: { cookie: secret, email: 'ada@example.com', body: { password: secret } } }, 'a line');
  });
  expect(text).toContain('[redacted]');
  expect(text).not.toContain(secret);
  expect(text).not.toContain('ada@');
});

it('says of an error where it comes from, and not what it failed on', () => {
  const error = Object.assign(new Error('duplicate key value violates unique constraint'), {
    code: '23505',
    detail: 'Key (email)=(ada@example.com) already exists.',
    command: { name: 'evalsha', args: ['secret'] },
  });
  const line = JSON.parse(linesOf((log) => log.error({ err: error }, 'failed'))) as { err: Record<string, unknown> };
  expect(line.err).toEqual({ type: 'Error', message: error.message, stack: error.stack, code: '23505' });
});
