import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.ts';
import { EdgeModule } from '../edge/edge.module.ts';
import { MeshModule } from '../mesh.module.ts';
import { OrdersController } from './orders.controller.ts';

@Module({ imports: [CatalogModule, EdgeModule, MeshModule], controllers: [OrdersController] })
export class OrdersModule {}
