import type { FastifyReply } from 'fastify';
import type { EventSocket } from '../http-exchange.ts';

/** Takes the connection over from Fastify, with the headers that the answer has so far. */
export function eventSocket(reply: FastifyReply): EventSocket {
  const { raw } = reply;
  const headers = {
    ...reply.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Buffering proxies would hold events back.
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  };
  reply.hijack();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(reply.statusCode);
  raw.flushHeaders();
  raw.on('error', () => raw.destroy());
  return {
    write: (text) => raw.write(text),
    onDrain: (listener) => raw.on('drain', listener),
    onClose: (listener) => {
      if (raw.destroyed) listener();
      else raw.once('close', listener);
    },
    end: () => raw.end(),
    destroy: () => raw.destroy(),
  };
}
