/**
 * The floor: node:http and grpc-js and nothing else, with an answer of the same bytes as the gateway's,
 * headers included. No front in Node is faster.
 */
import { createServer, type ServerResponse } from 'node:http';
import { connectBare } from './bare-client.ts';

const backend = await connectBare(process.env);
const headers = JSON.parse(process.env['ANSWER_HEADERS'] ?? '{}') as Record<string, string>;

const answer = (response: ServerResponse, body: Promise<string>): void => {
  body.then(
    (text) => response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text),
    () => response.writeHead(503).end(),
  );
};

createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
  if (request.url === '/api/cart') answer(response, backend.cart());
  else if (request.url === '/api/products/p-mug') answer(response, backend.product());
  else response.writeHead(404).end();
}).listen(Number(process.env['LISTEN_PORT']), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
