import { isProblem } from '@cloakroom/contracts';
import { z } from 'zod';
import { type Exchange, type Outcome, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { LiveStream, type StreamParts } from './live-stream.ts';

export const eventSchema = z.object({
  event: z.enum(['cart', 'order', 'session']),
  data: z.string().meta({ description: 'JSON. Of `order` it has the orderId, of `session` the state.' }),
});

export function openEvents(exchange: Exchange, gateway: StreamParts & Pick<Gateway, 'streams'>): Outcome {
  const seat = gateway.streams.enter(personOf(exchange).view.handle, exchange.remoteAddress);
  if (isProblem(seat)) return seat;
  return { status: 200, contentType: 'text/event-stream', stream: (socket) => new LiveStream(exchange, socket, gateway, seat).start() };
}
