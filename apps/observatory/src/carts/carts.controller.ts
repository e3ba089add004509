import { Controller, Get, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { CartLogView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { CartLogs } from './cart-log.ts';

@Controller('api/carts')
@Opens('page')
export class CartsController {
  constructor(private readonly logs: CartLogs) {}

  @Get(':id')
  log(@Param('id') id: string, @Req() request: FastifyRequest): Promise<CartLogView> {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    const { socket } = request.raw;
    socket.once('close', leave);
    // The connection lives on, for further questions.
    return this.logs.read(id, gone.signal).finally(() => socket.off('close', leave));
  }
}
