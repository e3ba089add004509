import { Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { accountClientToken, identityToken } from '../injection.ts';
import { usersSchema } from './account-answer.ts';
import { userParams, usersQuery } from './account-input.ts';
import { disableUser } from './disable-user.ts';
import { enableUser } from './enable-user.ts';
import { revokeEverything } from './end-all-sessions.ts';
import { findUsers } from './find-users.ts';
import { revokeUser } from './revoke-user.ts';

const sensitive = { operationClass: 'sensitive', identity: 'user', audience: 'auth', budgetMs: 2_500 } as const;
const done = { 204: { description: 'Done.' } } as const;

/** Other people's accounts, for administrators. */
@Controller('api/admin')
export class AdministrationController {
  constructor(
    @Inject(accountClientToken) readonly account: Gateway['account'],
    @Inject(identityToken) readonly identity: Gateway['identity'],
  ) {}

  @Get('users')
  @Policy({
    ...sensitive,
    summary: 'Finds accounts by a part of name or e-mail. Administrators, step-up.',
    answers: { 200: { description: 'At most 20, newest first.', schema: usersSchema } },
    errors: ['forbidden', 'step_up_required'],
  })
  findUsers(@CurrentExchange() exchange: Exchange, @Query({ schema: usersQuery }) query: z.output<typeof usersQuery>) {
    return findUsers(exchange, { query }, this);
  }

  @Post('users/:userId/disable')
  @Policy({
    ...sensitive,
    summary: 'Closes an account and ends all its sessions. Administrators, step-up.',
    answers: done,
    errors: ['forbidden', 'step_up_required', 'not_found'],
  })
  disableUser(@CurrentExchange() exchange: Exchange, @Param({ schema: userParams }) params: z.output<typeof userParams>) {
    return disableUser(exchange, { params }, this);
  }

  @Post('users/:userId/enable')
  @Policy({
    ...sensitive,
    summary: 'Opens a closed account again. No session comes back. Administrators, step-up.',
    answers: done,
    errors: ['forbidden', 'step_up_required', 'not_found'],
  })
  enableUser(@CurrentExchange() exchange: Exchange, @Param({ schema: userParams }) params: z.output<typeof userParams>) {
    return enableUser(exchange, { params }, this);
  }

  @Post('users/:userId/revoke')
  @Policy({
    ...sensitive,
    summary: 'Ends all sessions of an account. Administrators, step-up.',
    answers: done,
    errors: ['forbidden', 'step_up_required', 'not_found'],
  })
  revokeUser(@CurrentExchange() exchange: Exchange, @Param({ schema: userParams }) params: z.output<typeof userParams>) {
    return revokeUser(exchange, { params }, this);
  }

  @Post('revoke-everything')
  @Policy({
    ...sensitive,
    summary: 'Ends every session there is, your own too. Administrators, step-up.',
    answers: done,
    errors: ['forbidden', 'step_up_required'],
  })
  revokeEverything(@CurrentExchange() exchange: Exchange) {
    return revokeEverything(exchange, this);
  }
}
