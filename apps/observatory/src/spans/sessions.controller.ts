import { Controller, Get, Param, Query } from '@nestjs/common';
import type { SessionListView, SessionView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { nameOnMap } from '../stack/name-on-map.ts';
import { SupervisorLink } from '../stack/supervisor-link.ts';
import { homeOf, sessionEnd, sessionSteps, sessionsOf } from './session-steps.ts';
import { SpanStore } from './span-store.ts';

@Controller('api/sessions')
@Opens('page')
export class SessionsController {
  constructor(
    private readonly store: SpanStore,
    private readonly link: SupervisorLink,
  ) {}

  @Get()
  all(@Query('mine') experiment = ''): SessionListView {
    return { sessions: sessionsOf(this.store.recent(0), experiment) };
  }

  /** Without a step, the handle is unknown or all that it did is forgotten. */
  @Get(':handle')
  one(@Param('handle') handle: string): SessionView {
    const spans = this.store.recent(0);
    const nameOf = nameOnMap(this.link.stack);
    return { handle, home: homeOf(spans, handle), steps: sessionSteps(spans, handle, nameOf), end: sessionEnd(spans, handle, nameOf) };
  }
}
