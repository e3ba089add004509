import { Controller, Get } from '@nestjs/common';
import type { LeasesView, PlacesView } from './places-view.ts';
import { Opens } from '../edge/key.guard.ts';
import { SupervisorLink } from '../stack/supervisor-link.ts';
import { leasesOf, placesOf } from './places.ts';

@Controller('api/places')
@Opens('page')
export class PlacesController {
  constructor(private readonly link: SupervisorLink) {}

  @Get()
  all(): Promise<PlacesView> {
    return placesOf(this.link.stack.processes);
  }

  @Get('leases')
  leases(): Promise<LeasesView> {
    return leasesOf(this.link.stack.processes);
  }
}
