import { expect, it } from 'vitest';
import { createLogger } from '../log.ts';
import { waitForPostgres } from './database.postgres.ts';

it('gives up on a server that does not answer within its time', async () => {
  // Nothing listens on port 1.
  const waiting = waitForPostgres('postgres://user@127.0.0.1:1/none', { name: 'test', log: createLogger('test', 'silent') }, 600);
  await expect(waiting).rejects.toThrow(/did not answer within 0\.6 s/);
});
