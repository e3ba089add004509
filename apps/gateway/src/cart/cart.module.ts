import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.ts';
import { EdgeModule } from '../edge/edge.module.ts';
import { MeshModule } from '../mesh.module.ts';
import { CartController } from './cart.controller.ts';

@Module({ imports: [CatalogModule, EdgeModule, MeshModule], controllers: [CartController] })
export class CartModule {}
