/**
 * An Observatory of nothing but switches, as a process that a test can kill and pause: `node observatory.fixture.ts <switches as JSON> <how>`.
 * `squatter` believes everybody and holds no key. `hasty` never waits.
 */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const switches: unknown = JSON.parse(process.argv[2] ?? '[]');
const how = process.argv[3] ?? '';
/** Written here anew, so that the tests hold the protocol and not two uses of one function. */
const made = (from: string): string =>
  createHmac('sha256', how === 'squatter' ? 'guessed' : 'key')
    .update(from)
    .digest('base64url');
const server = createServer((request, response) => {
  const asked = new URL(request.url ?? '', 'http://localhost').searchParams;
  const waitMs = asked.get('seen') === 'one' && how !== 'hasty' ? Number(asked.get('wait')) : 0;
  void delay(waitMs).then(() => {
    if (how !== 'squatter' && request.headers.authorization !== `Bearer ${made('bearer')}`) response.statusCode = 401;
    const body = JSON.stringify({ revision: 'one', switches });
    response.setHeader('x-answer-proof', made(`answer\n${asked.get('nonce')}\n${body}`));
    response.end(body, () => process.stdout.write('told\n'));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
