import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { Clock } from '@cloakroom/platform/process-life';
import type { BlastRadiusView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { FaultSwitches } from '../faults/fault-switches.ts';
import { clockToken } from '../injection.ts';
import { SpanStore } from '../spans/span-store.ts';
import { SupervisorLink } from '../stack/supervisor-link.ts';
import { blastRadius, blastWindowMs, leaseSettleMs } from './blast-radius.ts';
import { BrokenHistory, brokenNow } from './broken.ts';

/** A span may come a second after its end, so its trace is as new as that. */
const lateMs = 2_000;
/** Above the longest budget of a route. */
const longestAnswerMs = 10_000;

@Controller('api/blast-radius')
@Opens('page')
export class BlastController {
  /** An answer is looked at for the window. It may have waited for its whole budget, and a change just before it counts. */
  readonly #history = new BrokenHistory(blastWindowMs + longestAnswerMs + leaseSettleMs + lateMs);

  constructor(
    link: SupervisorLink,
    switches: FaultSwitches,
    private readonly spans: SpanStore,
    @Inject(clockToken) private readonly clock: Clock,
  ) {
    const note = (): void => this.#history.note(brokenNow(link.stack, switches.on), clock.nowMs());
    link.onStack(note);
    switches.onChange(note);
  }

  @Get()
  look(@Query('mine') mine: string | undefined): BlastRadiusView {
    const nowMs = this.clock.nowMs();
    return blastRadius(this.#history.stretches, this.spans.recent(nowMs - blastWindowMs - lateMs), { nowMs, mine });
  }
}
