import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { OceanStatus } from '@cloakroom/contracts';
import { Opens } from '../edge/key.guard.ts';
import { oceanToken } from '../injection.ts';
import type { OceanDoor } from './ocean-door.ts';
import { StackWatch } from './stack-watch.ts';

@Controller('api/ocean')
@Opens('page')
export class OceanController {
  constructor(
    @Inject(oceanToken) private readonly ocean: OceanDoor,
    private readonly watch: StackWatch,
  ) {}

  /** @returns the state that the ocean told once it had obeyed */
  @Post()
  @HttpCode(200)
  async tell(@Body() command: unknown): Promise<OceanStatus> {
    const status = await this.ocean.tell(command);
    this.watch.sawOcean(status);
    return status;
  }
}
