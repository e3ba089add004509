import { Controller, Get } from '@nestjs/common';
import { Opens } from './key.guard.ts';

/** The supervisor asks it. */
@Controller('healthz')
@Opens('anyone')
export class HealthController {
  @Get()
  alive(): { readonly alive: true } {
    return { alive: true };
  }
}
