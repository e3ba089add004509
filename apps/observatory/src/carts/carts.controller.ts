import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { CartDevicesView, CartLogView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { SpanStore } from '../spans/span-store.ts';
import { cartDevices } from './cart-devices.ts';
import { CartLogs } from './cart-log.ts';

@Controller('api/carts')
@Opens('page')
export class CartsController {
  constructor(
    private readonly logs: CartLogs,
    private readonly store: SpanStore,
  ) {}

  @Get(':id')
  log(@Param('id') id: string, @Req() request: FastifyRequest, @Query('region') region?: string): Promise<CartLogView> {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    const { socket } = request.raw;
    socket.once('close', leave);
    // The connection lives on, for further questions.
    return this.logs.read(id, gone.signal, region).finally(() => socket.off('close', leave));
  }

  /** Without a device, the cart is unknown or all that was seen of it is forgotten. */
  @Get(':id/devices')
  devices(@Param('id') id: string, @Query('mine') experiment = '', @Query('region') region?: string): CartDevicesView {
    return { devices: cartDevices(this.store.recent(0), id, experiment, region) };
  }
}
