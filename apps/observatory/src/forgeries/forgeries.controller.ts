import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { ForgeryResult, ForgeryView } from '../api.ts';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import type { Forger } from './forger.ts';

export const forgerToken = Symbol('forger');

@Controller('api/forgeries')
@Opens('page')
export class ForgeriesController {
  constructor(@Inject(forgerToken) private readonly forger: Forger) {}

  @Get()
  list(): readonly ForgeryView[] {
    return this.forger.list;
  }

  /** Takes a name of the list and nothing else: no target, no token, no body. */
  @Post(':name')
  @HttpCode(200)
  async play(@Param('name') name: string): Promise<ForgeryResult> {
    const result = await this.forger.play(name);
    if (result === undefined) throw new Refusal('not_found', `A forgery is one of: ${this.forger.list.map((one) => one.name).join(', ')}.`);
    return result;
  }
}
