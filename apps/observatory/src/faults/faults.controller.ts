import { Body, Controller, Delete, Get, Headers, Inject, Param, Put, Query, Res } from '@nestjs/common';
import { type FaultSwitch, faultKinds, faultMaxMs, faultQuietWaitMs } from '@cloakroom/contracts';
import { observatoryProof, observatoryProofHeader } from '@cloakroom/platform/process-life';
import type { FastifyReply } from 'fastify';
import type { FaultOn, FaultsView } from '../api.ts';
import type { ObservatoryConfig } from '../config.ts';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { configToken } from '../injection.ts';
import { SupervisorLink } from '../stack/supervisor-link.ts';
import { FaultSwitches } from './fault-switches.ts';
import { endsOf, faultViews, readWish, traineeOf } from './fault-wishes.ts';

/** For the page, and for `npm run fault`. */
@Controller('api/faults')
@Opens('page')
export class FaultsController {
  constructor(
    private readonly switches: FaultSwitches,
    private readonly link: SupervisorLink,
  ) {}

  @Get()
  list(): FaultsView {
    return { faults: faultViews(this.link.stack), on: this.switches.on.map(view), forMaxMs: faultMaxMs };
  }

  @Put(':name')
  switchOn(@Param('name') name: string, @Body() body: unknown, @Headers('cookie') cookies: string | undefined): FaultOn {
    return view(this.switches.switchOn(readWish(name, body, traineeOf(cookies), this.link.stack)));
  }

  /** @param mine only those of this trainee; everybody's end by id, by name, or with all */
  @Delete()
  switchAllOff(@Query('mine') mine: string | undefined): readonly FaultOn[] {
    return this.switches.switchOff(({ experiment }) => mine === undefined || experiment === mine).map(view);
  }

  @Delete(':which')
  switchOff(@Param('which') which: string, @Query('mine') mine: string | undefined): readonly FaultOn[] {
    const off = this.switches.switchOff(
      ({ id, fault, experiment }) => (id === which || fault === which) && (mine === undefined || experiment === mine),
    );
    if (off.length === 0) throw new Refusal('not_found', `${which} is not on. It may have ended by itself.`);
    return off.map(view);
  }
}

/** As services make it (libs/faults/src/ask-switches.ts). */
const noncePattern = /^[A-Za-z0-9_-]{16,64}$/;

/** For services: the switches that are on, told at once when they change. The answer proves that it is no other process's at this port. */
@Controller('v1/faults')
@Opens('spans')
export class SwitchesController {
  constructor(
    private readonly switches: FaultSwitches,
    private readonly link: SupervisorLink,
    @Inject(configToken) private readonly config: ObservatoryConfig,
  ) {}

  @Get()
  async tell(
    @Query('nonce') nonce: string | undefined,
    @Query('seen') seen: string | undefined,
    @Query('wait') wait: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const waitMs = Number(wait ?? 0);
    if (!Number.isInteger(waitMs) || waitMs < 0 || waitMs > faultQuietWaitMs)
      throw new Refusal('invalid_request', `wait is a whole number of milliseconds up to ${faultQuietWaitMs}.`);
    if (typeof nonce !== 'string' || !noncePattern.test(nonce))
      throw new Refusal('invalid_request', 'nonce is 16 to 64 characters of base64url, new for each question.');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { revision, switches } = await this.switches.tell(seen ?? '', waitMs, gone.signal);
    const body = JSON.stringify({ revision, switches: switches.map((one) => ({ ...one, ends: endsOf(one, this.link.stack) })) });
    reply.type('application/json').header(observatoryProofHeader, observatoryProof(this.config.OBSERVATORY_SPAN_KEY, nonce, body));
    return body;
  }
}

const view = ({ id, fault, strengthMs, at, experiment, leftMs }: FaultSwitch): FaultOn => ({
  id,
  name: fault,
  strengthMs: faultKinds[fault].strength === undefined ? undefined : strengthMs,
  at,
  mine: experiment,
  leftMs: Math.round(leftMs),
});
