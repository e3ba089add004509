/**
 * THE table: every route of the gateway, its needs, its budget, its inputs and its answers. It registers the routes (serve-routes.ts) and
 * writes /openapi.json (openapi.ts), and a test holds the two together.
 */
/* oxlint-disable max-lines -- Longer because it is one table, read downward. */
import { z } from 'zod';
import { accountRoutes } from './account/routes.ts';
import { CartController } from './cart/cart.controller.ts';
import { getProduct } from './catalog/get-product.ts';
import { listProducts, productQuery } from './catalog/list-products.ts';
import { productId, productPageSchema, productSchema } from './catalog/product-answer.ts';
import { suggestionQuery, suggestionsSchema, suggestProducts } from './catalog/suggest-products.ts';
import { eventSchema, openEvents } from './events/open-events.ts';
import { describeRoutes } from './edge/openapi.ts';
import { aliveSchema, isAlive, isReady, jwksSchema, readinessSchema, readJwks, readMetrics } from './edge/operations.ts';
import { routesOf } from './edge/route-list.ts';
import { orderRoutes } from './orders/routes.ts';
import { getProfile } from './profile/get-profile.ts';
import { profilePatch, profileSchema } from './profile/profile-answer.ts';
import { recordView } from './profile/record-view.ts';
import { updateProfile } from './profile/update-profile.ts';
import { type Route, route, type TableRoute } from './route.ts';
import { endDevice } from './session/end-device.ts';
import { endOtherDevices } from './session/end-other-devices.ts';
import { devicesSchema, listDevices } from './session/list-devices.ts';
import { login } from './session/login.ts';
import { logout } from './session/logout.ts';
import { readSession } from './session/read-session.ts';
import { reauthenticate } from './session/reauthenticate.ts';
import { register } from './session/register.ts';
import { sessionSchema, signedInSchema } from './session/session-answer.ts';
import { loginBody, reauthenticateBody, registerBody } from './session/sign-in-input.ts';
import { startGuest } from './session/start-guest.ts';

const nothing = { description: 'Done.' };

const sessionRoutes: readonly TableRoute[] = [
  route({
    method: 'GET',
    path: '/api/session',
    summary: 'Who this browser is. An ended session reads as none.',
    operationClass: 'personal',
    identity: 'maybe',
    // Any passport brings the view. A page that asks for its session reads its cart next, so it asks for the cart's.
    audience: 'cart',
    budgetMs: 2_000,
    answers: { 200: { description: 'The session.', schema: sessionSchema } },
    handle: readSession,
  }),
  route({
    method: 'POST',
    path: '/api/session/guest',
    summary: 'Begins a guest session, or shows the one that is there.',
    operationClass: 'login',
    identity: 'maybe',
    audience: 'cart',
    budgetMs: 3_000,
    answers: {
      200: { description: 'There was one already.', schema: sessionSchema },
      201: { description: 'Begun.', schema: sessionSchema, setsSession: true },
    },
    handle: startGuest,
  }),
  route({
    method: 'POST',
    path: '/api/session/register',
    summary: 'Makes an account and signs in. A guest cart is claimed.',
    operationClass: 'login',
    identity: 'none',
    budgetMs: 5_000,
    limit: 'sign-in',
    body: registerBody,
    answers: { 201: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['email_taken', 'weak_password', 'too_many_attempts'],
    handle: register,
  }),
  route({
    method: 'POST',
    path: '/api/session/login',
    summary: 'Signs in. The token changes, the old one is dead, a guest cart is claimed.',
    operationClass: 'login',
    identity: 'none',
    budgetMs: 5_000,
    limit: 'sign-in',
    body: loginBody,
    answers: { 200: { description: 'Signed in.', schema: signedInSchema, setsSession: true } },
    errors: ['invalid_credentials', 'second_factor_required', 'too_many_attempts'],
    handle: login,
  }),
  route({
    method: 'POST',
    path: '/api/session/reauthenticate',
    summary: 'Proves the password again, with a code where there is a second factor, or a passkey (step-up). The token changes.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 5_000,
    limit: 'sign-in',
    body: reauthenticateBody,
    answers: { 200: { description: 'Proven.', schema: sessionSchema, setsSession: true } },
    errors: ['invalid_credentials', 'second_factor_required', 'invalid_second_factor', 'challenge_expired', 'too_many_attempts'],
    handle: reauthenticate,
  }),
  route({
    method: 'POST',
    path: '/api/session/logout',
    summary: 'Ends the session. Harmless without one.',
    operationClass: 'login',
    identity: 'none',
    budgetMs: 3_000,
    answers: { 204: { description: 'Ended; the cookies are cleared.' } },
    handle: logout,
  }),
  route({
    method: 'GET',
    path: '/api/session/devices',
    summary: 'Where this person is signed in.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 2_500,
    answers: { 200: { description: 'The sessions, newest activity first.', schema: devicesSchema } },
    handle: listDevices,
  }),
  route({
    method: 'DELETE',
    path: '/api/session/devices/{handle}',
    summary: 'Ends one session of this person. Step-up.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 2_500,
    params: z.object({ handle: z.string().min(1).max(64) }),
    answers: { 204: nothing },
    errors: ['step_up_required', 'not_found'],
    handle: endDevice,
  }),
  route({
    method: 'DELETE',
    path: '/api/session/devices',
    summary: 'Ends every other session of this person. Step-up.',
    operationClass: 'sensitive',
    identity: 'user',
    audience: 'auth',
    budgetMs: 2_500,
    answers: { 204: nothing },
    errors: ['step_up_required'],
    handle: endOtherDevices,
  }),
];

const catalogRoutes: readonly TableRoute[] = [
  route({
    method: 'GET',
    path: '/api/products',
    summary: 'Lists, searches and narrows down products.',
    operationClass: 'public',
    identity: 'none',
    budgetMs: 2_000,
    query: productQuery,
    answers: { 200: { description: 'One page, and the facets of all pages.', schema: productPageSchema } },
    handle: listProducts,
  }),
  route({
    method: 'GET',
    path: '/api/products/suggestions',
    summary: 'What a person who has typed this much may mean.',
    operationClass: 'public',
    identity: 'none',
    budgetMs: 1_000,
    query: suggestionQuery,
    answers: { 200: { description: 'At most 6 products and 3 categories.', schema: suggestionsSchema } },
    handle: suggestProducts,
  }),
  route({
    method: 'GET',
    path: '/api/products/{productId}',
    summary: 'One product.',
    operationClass: 'public',
    identity: 'none',
    budgetMs: 2_000,
    params: z.object({ productId }),
    answers: { 200: { description: 'The product.', schema: productSchema } },
    errors: ['not_found'],
    handle: getProduct,
  }),
];

const personalBase = { operationClass: 'personal', identity: 'guest', audience: 'profile', budgetMs: 2_500 } as const;

const personalRoutes: readonly TableRoute[] = [
  route({
    ...personalBase,
    method: 'GET',
    path: '/api/profile',
    summary: "This person's profile. A guest has preferences and recently viewed products only.",
    answers: { 200: { description: 'The profile.', schema: profileSchema } },
    handle: getProfile,
  }),
  route({
    ...personalBase,
    method: 'PATCH',
    path: '/api/profile',
    summary: 'Replaces the fields that it names. The e-mail is changed elsewhere.',
    body: profilePatch,
    answers: { 200: { description: 'The profile.', schema: profileSchema } },
    errors: ['sign_in_required', 'limit_exceeded'],
    handle: updateProfile,
  }),
  route({
    ...personalBase,
    method: 'PUT',
    path: '/api/profile/recently-viewed/{productId}',
    summary: 'Remembers that a product was looked at, where a session exists.',
    identity: 'maybe',
    params: z.object({ productId }),
    answers: { 204: nothing },
    handle: recordView,
  }),
  route({
    method: 'GET',
    path: '/api/events',
    summary: 'Server-sent events of this session: `cart`, `order` and `session` say what to read again.',
    operationClass: 'personal',
    identity: 'guest',
    audience: 'cart',
    budgetMs: 0,
    live: true,
    answers: {
      200: {
        description: 'A stream that ends with the session. The schema is that of one event.',
        schema: eventSchema,
        contentType: 'text/event-stream',
      },
    },
    handle: openEvents,
  }),
];

const operationsBase = { method: 'GET', operationClass: 'operations', identity: 'none', budgetMs: 2_000 } as const;

const operationsRoutes: readonly TableRoute[] = [
  route({
    ...operationsBase,
    path: '/healthz',
    summary: 'The process answers.',
    answers: { 200: { description: 'Alive.', schema: aliveSchema } },
    handle: isAlive,
  }),
  route({
    ...operationsBase,
    path: '/readyz',
    summary: 'Takes requests, what does not do its work, and which provider, cluster and stores are behind it. Not through a proxy.',
    answers: {
      200: { description: 'Ready.', schema: readinessSchema },
      503: { description: 'Not ready, or stopping.', schema: readinessSchema },
    },
    errors: ['not_found'],
    handle: isReady,
  }),
  route({
    ...operationsBase,
    path: '/metrics',
    summary: 'Prometheus metrics. Not through a proxy.',
    answers: { 200: { description: 'Text exposition format.', schema: z.string(), contentType: 'text/plain' } },
    errors: ['not_found'],
    handle: readMetrics,
  }),
  route({
    ...operationsBase,
    path: '/openapi.json',
    summary: 'This document.',
    answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
    handle: (_exchange, _input, gateway) => ({ status: 200, body: describeRoutes(allRoutes, gateway.config.PUBLIC_ORIGINS) }),
  }),
  route({
    ...operationsBase,
    path: '/.well-known/jwks.json',
    summary: 'The keys that verify passports and signed events.',
    answers: { 200: { description: 'A JWK Set.', schema: jwksSchema, contentType: 'application/jwk-set+json' } },
    handle: readJwks,
  }),
];

export const routes: readonly TableRoute[] = [
  ...sessionRoutes,
  ...accountRoutes,
  ...catalogRoutes,
  ...orderRoutes,
  ...personalRoutes,
  ...operationsRoutes,
];

/** In the order of the document. */
export const allRoutes: readonly Route[] = [
  ...sessionRoutes,
  ...accountRoutes,
  ...catalogRoutes,
  ...routesOf([CartController]),
  ...orderRoutes,
  ...personalRoutes,
  ...operationsRoutes,
];
