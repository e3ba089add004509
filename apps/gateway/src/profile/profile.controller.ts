import { Body, Controller, Get, Inject, Param, Patch, Put } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { profileClientToken } from '../injection.ts';
import { productParams } from '../catalog/product-answer.ts';
import { getProfile } from './get-profile.ts';
import { profilePatch, profileSchema } from './profile-answer.ts';
import { recordView } from './record-view.ts';
import { updateProfile } from './update-profile.ts';

const personal = { operationClass: 'personal', identity: 'guest', audience: 'profile', budgetMs: 2_500 } as const;

@Controller('api/profile')
export class ProfileController {
  constructor(@Inject(profileClientToken) readonly profile: Gateway['profile']) {}

  @Get()
  @Policy({
    ...personal,
    summary: "This person's profile. A guest has preferences and recently viewed products only.",
    answers: { 200: { description: 'The profile.', schema: profileSchema } },
  })
  getProfile(@CurrentExchange() exchange: Exchange) {
    return getProfile(exchange, this);
  }

  @Patch()
  @Policy({
    ...personal,
    summary: 'Replaces the fields that it names. The e-mail is changed elsewhere.',
    answers: { 200: { description: 'The profile.', schema: profileSchema } },
    errors: ['sign_in_required', 'limit_exceeded'],
  })
  updateProfile(@CurrentExchange() exchange: Exchange, @Body({ schema: profilePatch }) body: z.output<typeof profilePatch>) {
    return updateProfile(exchange, { body }, this);
  }

  @Put('recently-viewed/:productId')
  @Policy({
    ...personal,
    summary: 'Remembers that a product was looked at, where a session exists.',
    identity: 'maybe',
    answers: { 204: { description: 'Done.' } },
  })
  recordView(@CurrentExchange() exchange: Exchange, @Param({ schema: productParams }) params: z.output<typeof productParams>) {
    return recordView(exchange, { params }, this);
  }
}
