/** The policy that a controller's method states, and the route that comes of it. */
import type { ErrorCode } from '@cloakroom/contracts';
import type { z } from 'zod';
import type { Audience } from './identity/identity-cache.ts';

/** Decides what happens when a part is gone (docs/failures.md). A route of class 'operations' tells about this process itself. */
export type OperationClass = 'public' | 'cart' | 'personal' | 'sensitive' | 'login' | 'operations';

/**
 * How much identity a route needs:
 * - none: the gateway does not look at the session.
 * - maybe: a live session is used, and a missing or ended one is no error.
 * - first-write: the use case begins a guest session if there is none; an ended one is an error.
 * - guest: any live session.
 * - user: a signed-in person.
 */
export type IdentityNeeded = 'none' | 'maybe' | 'first-write' | 'guest' | 'user';

export interface AnswerShape {
  readonly description: string;
  /** Absent: no body. */
  readonly schema?: z.ZodType;
  readonly contentType?: string;
  /** Carries Consistency-Token: a write's answer always, a read's once anything was written near it. */
  readonly consistency?: 'write' | 'read';
  /** Sets the session cookie, always or where a session begins. */
  readonly setsSession?: true;
}

/** Everything about a route that its address and its inputs do not tell. The server obeys it, and the document is made from it. */
export interface RoutePolicy {
  readonly summary: string;
  readonly operationClass: OperationClass;
  readonly identity: IdentityNeeded;
  /** The service whose passport the use case needs. */
  readonly audience?: Audience;
  /** The budget of the whole request, and the deadline of every call below. 0: the request stays open. */
  readonly budgetMs: number;
  readonly answers: Readonly<Record<number, AnswerShape>>;
  /** Codes beyond those that any route may answer. */
  readonly errors?: readonly ErrorCode[];
  /** A bound of its own for each address, besides the general one. */
  readonly limit?: 'sign-in';
  /** Stays open as server-sent events: it never keeps a session alive, and has no HEAD. */
  readonly live?: true;
}

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export interface Route extends RoutePolicy {
  readonly method: (typeof methods)[number];
  /** As in OpenAPI: /api/cart/lines/{lineId} */
  readonly path: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Names in lower case. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodObject;
}
