/**
 * A cart as most shops have it: read from Redis, changed, written back. It answers as the shop
 * does, and loses what another write overwrites.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { Redis } from 'ioredis';

const redis = new Redis({ port: Number(process.env['CART_REDIS_PORT']) });

createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
  const key = `plain:${request.headers.cookie ?? ''}`;
  const work = request.method === 'POST' ? add(key, request) : redis.get(key).then((text) => [200, text ?? '{}'] as const);
  work.then(
    ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    () => response.writeHead(503).end(),
  );
}).listen(Number(process.env['LISTEN_PORT']), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));

async function add(key: string, request: IncomingMessage): Promise<readonly [number, string]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { productId, quantity } = JSON.parse(Buffer.concat(chunks).toString()) as { productId: string; quantity: number };
  const cart = JSON.parse((await redis.get(key)) ?? '{}') as Record<string, number>;
  cart[productId] = (cart[productId] ?? 0) + quantity;
  const text = JSON.stringify(cart);
  await redis.set(key, text);
  return [202, text];
}
