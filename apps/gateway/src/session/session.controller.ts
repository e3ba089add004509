import { Body, Controller, Delete, Get, Inject, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { accountClientToken, authClientToken, configToken, identityToken, limitsToken } from '../injection.ts';
import { deviceParams, endDevice } from './end-device.ts';
import { endOtherDevices } from './end-other-devices.ts';
import { devicesSchema, listDevices } from './list-devices.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { readSession } from './read-session.ts';
import { reauthenticate } from './reauthenticate.ts';
import { register } from './register.ts';
import { sessionSchema, signedInSchema } from './session-answer.ts';
import { loginBody, reauthenticateBody, registerBody } from './sign-in-input.ts';
import { startGuest } from './start-guest.ts';

const done = { 204: { description: 'Done.' } } as const;

@Controller('api/session')
export class SessionController {
  constructor(
    @Inject(authClientToken) readonly auth: Gateway['auth'],
    @Inject(accountClientToken) readonly account: Gateway['account'],
    @Inject(configToken) readonly config: Gateway['config'],
    @Inject(identityToken) readonly identity: Gateway['identity'],
    @Inject(limitsToken) readonly limits: Gateway['limits'],
  ) {}

  @Get()
  @Policy({
    summary: 'Who this browser is. An ended session reads as none.',
    operationClass: 'personal',
    identity: 'maybe',
    // Any passport brings the view. A page that asks for its session reads its cart next, so it asks for the cart's.
    audience: 'cart',
    budgetMs: 2_000,
    answers: { 200: { description: 'The session.', schema: sessionSchema } },
  })
  readSession(@CurrentExchange() exchange: Exchange) {
    return readSession(exchange, this);
  }

  @Post('guest')
  @Policy({
    summary: 'Begins a guest session, or shows the one that is there.',
    operationClass: 'login',
    identity: 'maybe',
    audience: 'cart',
    budgetMs: 3_000,
    answers: {
      200: { description: 'There was one already.', schema: sessionSchema },
      201: { description: 'Begun.', schema: sessionSchema, setsSession: true },
    },
  })
  startGuest(@CurrentExchange() exchange: Exchange) {
    return startGuest(exchange, this);
  }

  @Post('register')
  @Policy({
    summary: 'Makes an account and signs in. A guest cart is claimed.',
    operationClass: 'login',
    identity: 'none',
    budgetMs: 5_000,
    limit: 'sign-in',
    answers: { 201: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['email_taken', 'weak_password', 'too_many_attempts'],
  })
  register(@CurrentExchange() exchange: Exchange, @Body({ schema: registerBody }) body: z.output<typeof registerBody>) {
    return register(exchange, { body }, this);
  }

  @Post('login')
  @Policy({
    summary: 'Signs in. The token changes, the old one is dead, a guest cart is claimed.',
    operationClass: 'login',
    identity: 'none',
    budgetMs: 5_000,
    limit: 'sign-in',
    answers: { 200: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['invalid_credentials', 'second_factor_required', 'too_many_attempts'],
  })
  login(@CurrentExchange() exchange: Exchange, @Body({ schema: loginBody }) body: z.output<typeof loginBody>) {
    return login(exchange, { body }, this);
  }

  @Post('reauthenticate')
  @Policy({
    summary: 'Proves the password again, with a code where there is a second factor, or a passkey (step-up). The token changes.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 5_000,
    limit: 'sign-in',
    answers: { 200: { description: 'Proven.', schema: sessionSchema, setsSession: true } },
    errors: ['invalid_credentials', 'second_factor_required', 'invalid_second_factor', 'challenge_expired', 'too_many_attempts'],
  })
  reauthenticate(@CurrentExchange() exchange: Exchange, @Body({ schema: reauthenticateBody }) body: z.output<typeof reauthenticateBody>) {
    return reauthenticate(exchange, { body }, this);
  }

  @Post('logout')
  @Policy({
    summary: 'Ends the session. Harmless without one.',
    operationClass: 'login',
    identity: 'none',
    budgetMs: 3_000,
    answers: { 204: { description: 'Ended; the cookies are cleared.' } },
  })
  logout(@CurrentExchange() exchange: Exchange) {
    return logout(exchange, this);
  }

  @Get('devices')
  @Policy({
    summary: 'Where this person is signed in.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 2_500,
    answers: { 200: { description: 'The sessions, newest activity first.', schema: devicesSchema } },
  })
  listDevices(@CurrentExchange() exchange: Exchange) {
    return listDevices(exchange, this);
  }

  @Delete('devices/:handle')
  @Policy({
    summary: 'Ends one session of this person. Step-up.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 2_500,
    answers: done,
    errors: ['step_up_required', 'not_found'],
  })
  endDevice(@CurrentExchange() exchange: Exchange, @Param({ schema: deviceParams }) params: z.output<typeof deviceParams>) {
    return endDevice(exchange, { params }, this);
  }

  @Delete('devices')
  @Policy({
    summary: 'Ends every other session of this person. Step-up.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 2_500,
    answers: done,
    errors: ['step_up_required'],
  })
  endOtherDevices(@CurrentExchange() exchange: Exchange) {
    return endOtherDevices(exchange, this);
  }
}
