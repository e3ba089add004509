import { Controller, Get, Param, Query } from '@nestjs/common';
import type { RequestSummary, RequestView, TravelHopView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { viewRequest } from '../request/request-view.ts';
import { nameOnMap } from '../stack/name-on-map.ts';
import { SupervisorLink } from '../stack/supervisor-link.ts';
import { hopsOf } from './edges.ts';
import { RecentRequests } from './recent-requests.ts';
import { SpanStore } from './span-store.ts';

@Controller('api/requests')
@Opens('page')
export class RequestsController {
  constructor(
    private readonly requests: RecentRequests,
    private readonly store: SpanStore,
    private readonly link: SupervisorLink,
  ) {}

  /** The newest first. */
  @Get()
  list(@Query('mine') mine: string | undefined): readonly RequestSummary[] {
    return this.requests.list({ mine });
  }

  @Get(':traceId')
  one(@Param('traceId') traceId: string): RequestView {
    const spans = this.store.spansOf(traceId.toLowerCase());
    const view = spans.length === 0 ? undefined : viewRequest(spans, this.store);
    if (view !== undefined) return view;
    throw new Refusal('not_found', 'No such request is kept. Spans arrive within a second or two, and the oldest requests are forgotten.');
  }

  /** None while no span of it has come. */
  @Get(':traceId/hops')
  hops(@Param('traceId') told: string): readonly TravelHopView[] {
    const traceId = told.toLowerCase();
    const spans = [traceId, ...this.store.tracesThatLinkTo(traceId)].flatMap((each) => this.store.spansOf(each));
    return hopsOf(spans, nameOnMap(this.link.stack));
  }
}
