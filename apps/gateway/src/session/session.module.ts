import { Module } from '@nestjs/common';
import { EdgeModule } from '../edge/edge.module.ts';
import { MeshModule } from '../mesh.module.ts';
import { SessionController } from './session.controller.ts';

@Module({ imports: [EdgeModule, MeshModule], controllers: [SessionController] })
export class SessionModule {}
