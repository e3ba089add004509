/** An answer is compared with its question before anybody uses it: by token, audience and session. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { type ResolveResponse, ResolveResponseSchema } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { answersQuestion, claimsFor } from './resolve-at-auth.ts';

const question = { token: 'ada', audience: 'cart' };
const sha256 = (text: string) => createHash('sha256').update(text).digest();
const passport = (changes: object = {}): string =>
  `h.${Buffer.from(JSON.stringify({ aud: 'cart', sub: 'u_ada', sid: 'handle', iat: 5, exp: 65, ...changes })).toString('base64url')}.s`;
const answer = (changes: object = {}): ResolveResponse =>
  create(ResolveResponseSchema, {
    tokenSha256: sha256('ada'),
    audience: 'cart',
    session: { handle: 'handle', subject: 'u_ada' },
    passport: passport(),
    ...changes,
  });

it('takes the answer that was made for the question, and reads its times', () => {
  expect(answersQuestion(question, answer())).toBe(true);
  expect(claimsFor(question, answer())).toEqual({ issuedAtMs: 5_000, expiresAtMs: 65_000 });
  const noSession = answer({ session: undefined, passport: '' });
  expect(answersQuestion(question, noSession)).toBe(true);
});

it.each([
  ['for another token', { tokenSha256: sha256('grace') }],
  ['that says no session, for another token', { tokenSha256: sha256('grace'), session: undefined, passport: '' }],
  ['for another audience', { audience: 'orders' }],
  ['with the passport of another audience', { passport: passport({ aud: 'orders' }) }],
  ['with the passport of another person', { passport: passport({ sub: 'u_grace' }) }],
  ['with the passport of another session', { passport: passport({ sid: 'another' }) }],
  ['with the view of another person', { session: { handle: 'handle', subject: 'u_grace' } }],
  ['with a passport and no session', { session: undefined }],
  ['with a session and no passport', { passport: '' }],
  ['with a passport that cannot be read', { passport: 'x.y.z' }],
])('takes no answer %s', (_what, changes) => {
  expect(answersQuestion(question, answer(changes))).toBe(false);
  expect(claimsFor(question, answer(changes))).toBeUndefined();
});

it('takes the answer of an older build by a single call alone, by what its passport says', () => {
  const older = { tokenSha256: new Uint8Array(), audience: '' };
  expect(answersQuestion(question, answer(older))).toBe(false);
  expect(claimsFor(question, answer(older))).toBeDefined();
  expect(claimsFor(question, answer({ ...older, passport: passport({ sub: 'u_grace' }) }))).toBeUndefined();
});

it('judges each question by itself: one answer is good for no other', () => {
  const one = answer();
  expect(answersQuestion(question, one)).toBe(true);
  expect(answersQuestion({ ...question, token: 'grace' }, one)).toBe(false);
  expect(claimsFor({ ...question, token: 'grace' }, one)).toBeUndefined();
});
