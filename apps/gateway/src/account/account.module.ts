import { Module } from '@nestjs/common';
import { EdgeModule } from '../edge/edge.module.ts';
import { MeshModule } from '../mesh.module.ts';
import { AccountController } from './account.controller.ts';
import { AdministrationController } from './administration.controller.ts';

@Module({ imports: [EdgeModule, MeshModule], controllers: [AccountController, AdministrationController] })
export class AccountModule {}
