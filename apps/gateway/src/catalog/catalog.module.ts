import { Module } from '@nestjs/common';
import type { Clock } from '@cloakroom/platform';
import { EdgeModule } from '../edge/edge.module.ts';
import { clockToken } from '../injection.ts';
import { MeshModule } from '../mesh.module.ts';
import { CatalogController } from './catalog.controller.ts';
import { ProductMemory } from './product-memory.ts';

@Module({
  imports: [EdgeModule, MeshModule],
  controllers: [CatalogController],
  providers: [{ provide: ProductMemory, inject: [clockToken], useFactory: (clock: Clock) => new ProductMemory(clock) }],
  exports: [ProductMemory],
})
export class CatalogModule {}
