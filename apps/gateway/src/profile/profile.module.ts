import { Module } from '@nestjs/common';
import { EdgeModule } from '../edge/edge.module.ts';
import { MeshModule } from '../mesh.module.ts';
import { ProfileController } from './profile.controller.ts';

@Module({ imports: [EdgeModule, MeshModule], controllers: [ProfileController] })
export class ProfileModule {}
