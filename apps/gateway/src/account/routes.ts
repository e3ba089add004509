/** The part of the table (../routes.ts) that changes accounts: credentials, factors, and administration. */
import { route, type TableRoute } from '../route.ts';
import { sessionSchema, signedInSchema } from '../session/session-answer.ts';
import {
  addedPasskeySchema,
  factorRemovedSchema,
  factorsSchema,
  noticesSchema,
  passkeyOptionsSchema,
  recoveryCodesSchema,
  totpSecretSchema,
  usersSchema,
} from './account-answer.ts';
import {
  addPasskeyBody,
  emailBody,
  passkeyLoginBody,
  passkeyParams,
  passwordBody,
  secondFactorBody,
  totpBody,
  userParams,
  usersQuery,
} from './account-input.ts';
import { addPasskey } from './add-passkey.ts';
import { beginTotp } from './begin-totp.ts';
import { changeEmail } from './change-email.ts';
import { changePassword } from './change-password.ts';
import { confirmTotp } from './confirm-totp.ts';
import { disableUser } from './disable-user.ts';
import { enableUser } from './enable-user.ts';
import { findUsers } from './find-users.ts';
import { listFactors } from './list-factors.ts';
import { listNotices } from './list-notices.ts';
import { loginSecondFactor } from './login-second-factor.ts';
import { loginWithPasskey } from './login-with-passkey.ts';
import { newRecoveryCodes } from './new-recovery-codes.ts';
import { passkeyCreationOptions } from './passkey-creation-options.ts';
import { passkeyRequestOptions } from './passkey-request-options.ts';
import { removePasskey } from './remove-passkey.ts';
import { removeTotp } from './remove-totp.ts';
import { revokeEverything } from './end-all-sessions.ts';
import { revokeUser } from './revoke-user.ts';

const signInBase = { method: 'POST', operationClass: 'login', identity: 'none', budgetMs: 5_000, limit: 'sign-in' } as const;

const signInRoutes: readonly TableRoute[] = [
  route({
    ...signInBase,
    path: '/api/session/login/second-factor',
    summary: 'Goes on with a sign-in that was answered with second_factor_required.',
    body: secondFactorBody,
    answers: { 200: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['challenge_expired', 'invalid_second_factor', 'too_many_attempts', 'session_ended'],
    handle: loginSecondFactor,
  }),
  route({
    ...signInBase,
    path: '/api/session/login/passkey/options',
    summary: 'Begins a proof by passkey, to sign in or to step up. Names no account.',
    budgetMs: 2_500,
    answers: { 200: { description: 'For navigator.credentials.get.', schema: passkeyOptionsSchema } },
    handle: passkeyRequestOptions,
  }),
  route({
    ...signInBase,
    path: '/api/session/login/passkey',
    summary: 'Signs in by passkey alone.',
    body: passkeyLoginBody,
    answers: { 200: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['challenge_expired', 'invalid_second_factor', 'too_many_attempts', 'session_ended'],
    handle: loginWithPasskey,
  }),
];

const ownBase = { operationClass: 'sensitive', identity: 'user', audience: 'auth', budgetMs: 2_500 } as const;
const changed = { 200: { description: 'Changed; the token is a new one.', schema: sessionSchema, setsSession: true } } as const;
const removed = { 200: { description: 'Removed.', schema: factorRemovedSchema } } as const;
const codes = { 200: { description: 'Recovery codes, shown this once.', schema: recoveryCodesSchema } } as const;

const credentialRoutes: readonly TableRoute[] = [
  route({
    ...ownBase,
    method: 'PUT',
    path: '/api/session/password',
    summary: 'Sets a new password. Step-up.',
    budgetMs: 5_000,
    limit: 'sign-in',
    body: passwordBody,
    answers: changed,
    errors: ['step_up_required', 'weak_password'],
    handle: changePassword,
  }),
  route({
    ...ownBase,
    method: 'PUT',
    path: '/api/session/email',
    summary: 'Sets a new e-mail address. Step-up.',
    budgetMs: 5_000,
    limit: 'sign-in',
    body: emailBody,
    answers: changed,
    errors: ['step_up_required', 'email_taken', 'too_many_attempts'],
    handle: changeEmail,
  }),
  route({
    ...ownBase,
    method: 'GET',
    path: '/api/session/notices',
    summary: 'What happened to this account, newest first.',
    answers: { 200: { description: 'At most 50.', schema: noticesSchema } },
    handle: listNotices,
  }),
  route({
    ...ownBase,
    method: 'GET',
    path: '/api/session/factors',
    summary: 'How this person can prove who they are, besides the password.',
    answers: { 200: { description: 'One-time codes, recovery codes, passkeys.', schema: factorsSchema } },
    handle: listFactors,
  }),
];

const factorRoutes: readonly TableRoute[] = [
  route({
    ...ownBase,
    method: 'POST',
    path: '/api/session/factors/totp',
    summary: 'Makes a secret for an authenticator app. Step-up.',
    answers: { 200: { description: 'The secret, shown this once.', schema: totpSecretSchema } },
    errors: ['step_up_required', 'factor_exists'],
    handle: beginTotp,
  }),
  route({
    ...ownBase,
    method: 'PUT',
    path: '/api/session/factors/totp',
    summary: 'Confirms the app by a code: from now on it is asked for. Step-up.',
    body: totpBody,
    answers: codes,
    errors: ['step_up_required', 'factor_exists', 'challenge_expired', 'invalid_second_factor', 'too_many_attempts'],
    handle: confirmTotp,
  }),
  route({
    ...ownBase,
    method: 'DELETE',
    path: '/api/session/factors/totp',
    summary: 'Removes the authenticator app. Step-up.',
    answers: removed,
    errors: ['step_up_required', 'not_found'],
    handle: removeTotp,
  }),
  route({
    ...ownBase,
    method: 'POST',
    path: '/api/session/factors/recovery-codes',
    summary: 'Makes new recovery codes; the old ones are void. Step-up.',
    answers: codes,
    errors: ['step_up_required', 'not_found'],
    handle: newRecoveryCodes,
  }),
  route({
    ...ownBase,
    method: 'POST',
    path: '/api/session/passkeys/options',
    summary: 'Begins to add a passkey. Step-up.',
    answers: { 200: { description: 'For navigator.credentials.create.', schema: passkeyOptionsSchema } },
    errors: ['step_up_required', 'limit_exceeded'],
    handle: passkeyCreationOptions,
  }),
  route({
    ...ownBase,
    method: 'POST',
    path: '/api/session/passkeys',
    summary: 'Adds the passkey that the browser made. Step-up.',
    body: addPasskeyBody,
    answers: { 201: { description: 'Added.', schema: addedPasskeySchema } },
    errors: ['step_up_required', 'challenge_expired', 'invalid_second_factor', 'factor_exists', 'limit_exceeded'],
    handle: addPasskey,
  }),
  route({
    ...ownBase,
    method: 'DELETE',
    path: '/api/session/passkeys/{passkeyId}',
    summary: 'Removes a passkey. Step-up.',
    params: passkeyParams,
    answers: removed,
    // The id "options" is an address of its own, which takes no DELETE.
    errors: ['step_up_required', 'not_found', 'method_not_allowed'],
    handle: removePasskey,
  }),
];

const done = { 204: { description: 'Done.' } } as const;

const adminRoutes: readonly TableRoute[] = [
  route({
    ...ownBase,
    method: 'GET',
    path: '/api/admin/users',
    summary: 'Finds accounts by a part of name or e-mail. Administrators.',
    query: usersQuery,
    answers: { 200: { description: 'At most 20, newest first.', schema: usersSchema } },
    errors: ['forbidden'],
    handle: findUsers,
  }),
  ...(
    [
      ['disable', 'Closes an account and ends all its sessions.', disableUser],
      ['enable', 'Opens a closed account again. No session comes back.', enableUser],
      ['revoke', 'Ends all sessions of an account.', revokeUser],
    ] as const
  ).map(([what, summary, handle]) =>
    route({
      ...ownBase,
      method: 'POST',
      path: `/api/admin/users/{userId}/${what}`,
      summary: `${summary} Administrators, step-up.`,
      params: userParams,
      answers: done,
      errors: ['forbidden', 'step_up_required', 'not_found'],
      handle,
    }),
  ),
  route({
    ...ownBase,
    method: 'POST',
    path: '/api/admin/revoke-everything',
    summary: 'Ends every session there is, your own too. Administrators, step-up.',
    answers: done,
    errors: ['forbidden', 'step_up_required'],
    handle: revokeEverything,
  }),
];

export const accountRoutes: readonly TableRoute[] = [...signInRoutes, ...credentialRoutes, ...factorRoutes, ...adminRoutes];
