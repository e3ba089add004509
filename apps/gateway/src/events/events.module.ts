import { Module } from '@nestjs/common';
import type { GatewayConfig } from '../config.ts';
import { EdgeModule } from '../edge/edge.module.ts';
import { configToken } from '../injection.ts';
import { MeshModule } from '../mesh.module.ts';
import { EventsController } from './events.controller.ts';
import { Streams } from './streams.ts';

function openStreams({ STREAM_COUNT_MAX, STREAM_COUNT_MAX_PER_ADDRESS, REPLICA }: GatewayConfig): Streams {
  return new Streams({ inAll: STREAM_COUNT_MAX, ofAddress: STREAM_COUNT_MAX_PER_ADDRESS }, REPLICA);
}

@Module({
  imports: [EdgeModule, MeshModule],
  controllers: [EventsController],
  providers: [{ provide: Streams, inject: [configToken], useFactory: openStreams }],
  exports: [Streams],
})
export class EventsModule {}
