import { Module } from '@nestjs/common';
import { EdgeModule } from '../edge/edge.module.ts';
import { MeshModule } from '../mesh.module.ts';
import { ObservatoryController } from './observatory.controller.ts';

/** The gateway's part of the Observatory: what a page tells. */
@Module({ imports: [EdgeModule, MeshModule], controllers: [ObservatoryController] })
export class ObservatoryModule {}
