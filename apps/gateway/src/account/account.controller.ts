import { Body, Controller, Delete, Get, Inject, Param, Post, Put } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { accountClientToken, identityToken } from '../injection.ts';
import { sessionSchema, signedInSchema } from '../session/session-answer.ts';
import {
  addedPasskeySchema,
  factorRemovedSchema,
  factorsSchema,
  noticesSchema,
  passkeyOptionsSchema,
  recoveryCodesSchema,
  totpSecretSchema,
} from './account-answer.ts';
import { addPasskeyBody, emailBody, passkeyLoginBody, passkeyParams, passwordBody, secondFactorBody, totpBody } from './account-input.ts';
import { addPasskey } from './add-passkey.ts';
import { beginTotp } from './begin-totp.ts';
import { changeEmail } from './change-email.ts';
import { changePassword } from './change-password.ts';
import { confirmTotp } from './confirm-totp.ts';
import { listFactors } from './list-factors.ts';
import { listNotices } from './list-notices.ts';
import { loginSecondFactor } from './login-second-factor.ts';
import { loginWithPasskey } from './login-with-passkey.ts';
import { newRecoveryCodes } from './new-recovery-codes.ts';
import { passkeyCreationOptions } from './passkey-creation-options.ts';
import { passkeyRequestOptions } from './passkey-request-options.ts';
import { removePasskey } from './remove-passkey.ts';
import { removeTotp } from './remove-totp.ts';

const signIn = { operationClass: 'login', identity: 'none', budgetMs: 5_000, limit: 'sign-in' } as const;
const own = { operationClass: 'sensitive', identity: 'user', audience: 'auth', budgetMs: 2_500 } as const;
const changed = { 200: { description: 'Changed; the token is a new one.', schema: sessionSchema, setsSession: true } } as const;
const removed = { 200: { description: 'Removed.', schema: factorRemovedSchema } } as const;
const codes = { 200: { description: 'Recovery codes, shown this once.', schema: recoveryCodesSchema } } as const;

/** The credentials and factors of a person's own account. */
@Controller('api/session')
export class AccountController {
  constructor(
    @Inject(accountClientToken) readonly account: Gateway['account'],
    @Inject(identityToken) readonly identity: Gateway['identity'],
  ) {}

  @Post('login/second-factor')
  @Policy({
    ...signIn,
    summary: 'Goes on with a sign-in that was answered with second_factor_required.',
    answers: { 200: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['challenge_expired', 'invalid_second_factor', 'too_many_attempts', 'session_ended'],
  })
  loginSecondFactor(@CurrentExchange() exchange: Exchange, @Body({ schema: secondFactorBody }) body: z.output<typeof secondFactorBody>) {
    return loginSecondFactor(exchange, { body }, this);
  }

  @Post('login/passkey/options')
  @Policy({
    ...signIn,
    summary: 'Begins a sign-in by passkey. Names no account.',
    budgetMs: 2_500,
    answers: { 200: { description: 'For navigator.credentials.get.', schema: passkeyOptionsSchema } },
  })
  passkeyRequestOptions(@CurrentExchange() exchange: Exchange) {
    return passkeyRequestOptions(exchange, this);
  }

  @Post('reauthenticate/passkey/options')
  @Policy({
    ...own,
    summary: 'Begins a step-up by passkey, where the account lives.',
    limit: 'sign-in',
    answers: { 200: { description: 'For navigator.credentials.get.', schema: passkeyOptionsSchema } },
  })
  passkeyStepUpOptions(@CurrentExchange() exchange: Exchange) {
    return passkeyRequestOptions(exchange, this);
  }

  @Post('login/passkey')
  @Policy({
    ...signIn,
    summary: 'Signs in by passkey alone.',
    answers: { 200: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['challenge_expired', 'invalid_second_factor', 'too_many_attempts', 'session_ended'],
  })
  loginWithPasskey(@CurrentExchange() exchange: Exchange, @Body({ schema: passkeyLoginBody }) body: z.output<typeof passkeyLoginBody>) {
    return loginWithPasskey(exchange, { body }, this);
  }

  @Put('password')
  @Policy({
    ...own,
    summary: 'Sets a new password. Step-up.',
    budgetMs: 5_000,
    limit: 'sign-in',
    answers: changed,
    errors: ['step_up_required', 'weak_password'],
  })
  changePassword(@CurrentExchange() exchange: Exchange, @Body({ schema: passwordBody }) body: z.output<typeof passwordBody>) {
    return changePassword(exchange, { body }, this);
  }

  @Put('email')
  @Policy({
    ...own,
    summary: 'Sets a new e-mail address. Step-up.',
    budgetMs: 5_000,
    limit: 'sign-in',
    answers: changed,
    errors: ['step_up_required', 'email_taken', 'too_many_attempts'],
  })
  changeEmail(@CurrentExchange() exchange: Exchange, @Body({ schema: emailBody }) body: z.output<typeof emailBody>) {
    return changeEmail(exchange, { body }, this);
  }

  @Get('notices')
  @Policy({
    ...own,
    summary: 'What happened to this account, newest first.',
    answers: { 200: { description: 'At most 50.', schema: noticesSchema } },
  })
  listNotices(@CurrentExchange() exchange: Exchange) {
    return listNotices(exchange, this);
  }

  @Get('factors')
  @Policy({
    ...own,
    summary: 'How this person can prove who they are, besides the password.',
    answers: { 200: { description: 'One-time codes, recovery codes, passkeys.', schema: factorsSchema } },
  })
  listFactors(@CurrentExchange() exchange: Exchange) {
    return listFactors(exchange, this);
  }

  @Post('factors/totp')
  @Policy({
    ...own,
    summary: 'Makes a secret for an authenticator app. Step-up.',
    answers: { 200: { description: 'The secret, shown this once.', schema: totpSecretSchema } },
    errors: ['step_up_required', 'factor_exists'],
  })
  beginTotp(@CurrentExchange() exchange: Exchange) {
    return beginTotp(exchange, this);
  }

  @Put('factors/totp')
  @Policy({
    ...own,
    summary: 'Confirms the app by a code: from now on it is asked for. Step-up.',
    answers: codes,
    errors: ['step_up_required', 'factor_exists', 'challenge_expired', 'invalid_second_factor', 'too_many_attempts'],
  })
  confirmTotp(@CurrentExchange() exchange: Exchange, @Body({ schema: totpBody }) body: z.output<typeof totpBody>) {
    return confirmTotp(exchange, { body }, this);
  }

  @Delete('factors/totp')
  @Policy({
    ...own,
    summary: 'Removes the authenticator app. Step-up.',
    answers: removed,
    errors: ['step_up_required', 'not_found'],
  })
  removeTotp(@CurrentExchange() exchange: Exchange) {
    return removeTotp(exchange, this);
  }

  @Post('factors/recovery-codes')
  @Policy({
    ...own,
    summary: 'Makes new recovery codes; the old ones are void. Step-up.',
    answers: codes,
    errors: ['step_up_required', 'not_found'],
  })
  newRecoveryCodes(@CurrentExchange() exchange: Exchange) {
    return newRecoveryCodes(exchange, this);
  }

  @Post('passkeys/options')
  @Policy({
    ...own,
    summary: 'Begins to add a passkey. Step-up.',
    answers: { 200: { description: 'For navigator.credentials.create.', schema: passkeyOptionsSchema } },
    errors: ['step_up_required', 'limit_exceeded'],
  })
  passkeyCreationOptions(@CurrentExchange() exchange: Exchange) {
    return passkeyCreationOptions(exchange, this);
  }

  @Post('passkeys')
  @Policy({
    ...own,
    summary: 'Adds the passkey that the browser made. Step-up.',
    answers: { 201: { description: 'Added.', schema: addedPasskeySchema } },
    errors: ['step_up_required', 'challenge_expired', 'invalid_second_factor', 'factor_exists', 'limit_exceeded'],
  })
  addPasskey(@CurrentExchange() exchange: Exchange, @Body({ schema: addPasskeyBody }) body: z.output<typeof addPasskeyBody>) {
    return addPasskey(exchange, { body }, this);
  }

  @Delete('passkeys/:passkeyId')
  @Policy({
    ...own,
    summary: 'Removes a passkey. Step-up.',
    answers: removed,
    // The id "options" is an address of its own, which takes no DELETE.
    errors: ['step_up_required', 'not_found', 'method_not_allowed'],
  })
  removePasskey(@CurrentExchange() exchange: Exchange, @Param({ schema: passkeyParams }) params: z.output<typeof passkeyParams>) {
    return removePasskey(exchange, { params }, this);
  }
}
