/** Commands that begin in one turn reach the server in one packet, each with its own answer. */
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createLogger } from '../log.ts';
import { openRedis, redisReady } from './redis.ts';

it('sends the commands of one turn together, and answers each', async () => {
  const packets: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const text = bytes.toString();
      const echoed = [...text.matchAll(/\$4\r\necho\r\n\$\d+\r\n(\S+)\r\n/gi)].map(([, word]) => word!);
      if (echoed.length > 0) packets.push(text);
      // Any other command is of the client's own start.
      const others = [...text.matchAll(/^\*\d+\r\n/gm)].length - echoed.length;
      socket.write('+OK\r\n'.repeat(others) + echoed.map((word) => `$${word.length}\r\n${word}\r\n`).join(''));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const redis = openRedis({ url: `redis://127.0.0.1:${port}`, name: 'together', log: createLogger('test', 'silent') });
  try {
    await redisReady(redis);
    const words = Array.from({ length: 20 }, (_, at) => `word-${at}`);
    // Each command begins after a different number of promises, all in one turn.
    const answers = words.map(async (word, at) => {
      for (let step = 0; step < at; step += 1) await Promise.resolve();
      return redis.echo(word);
    });
    expect(await Promise.all(answers)).toEqual(words);
    expect(packets).toHaveLength(1);
    expect([await redis.echo('later'), packets.length]).toEqual(['later', 2]);
  } finally {
    redis.disconnect();
    server.close();
  }
});
