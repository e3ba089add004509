/** A session as its person may see it, as JSON: never a token, never a passport. */
import {
  type SessionIssued,
  SessionState,
  type SessionView,
  TokenMode,
  type TokenModeName,
  tokenModeNameOf,
  tokenModeNames,
  tokenModeOf,
} from '@cloakroom/contracts';
import { z } from 'zod';
import type { Answer } from '../http-exchange.ts';
import { tokenOf, viewOf } from '../identity/issued-session.ts';

const instant = z.iso.datetime({ offset: true });

export const modeSchema = z.enum(tokenModeNames).meta({
  id: 'SessionMode',
  description: 'How the gateway checks the session at each request. The operator decides which modes a sign-in may ask for.',
});

/** The mode that a sign-in asks for. */
export const askedModeSchema = z.enum(tokenModeNames).meta({
  description: 'One of `modes.allowed` of GET /api/session; any other is refused as invalid_request. Absent: `modes.default`.',
});

const regionsSchema = z
  .object({
    here: z.string().meta({ description: 'The region of this gateway.' }),
    home: z.string().optional().meta({ description: 'The region where this session lives.' }),
    homeReachable: z.boolean().optional().meta({
      description:
        'False while home cannot be asked and this gateway goes on with what it knows: for a minute, and for nothing that is sensitive.',
    }),
  })
  .meta({ description: 'Told by GET /api/session, where there are several regions.' });

export type SessionRegions = z.output<typeof regionsSchema>;

export const sessionSchema = z
  .object({
    state: z.enum(['none', 'guest', 'user']),
    mode: modeSchema.optional(),
    user: z.object({ id: z.string(), name: z.string(), email: z.string(), role: z.literal('admin').optional() }).optional(),
    handle: z.string().optional().meta({
      description: 'The public name of this session, as the list of devices, logs and revocations say it. No token can be made from it.',
    }),
    cartId: z.string().optional().meta({ description: 'The cart of this session; a command may name it. Absent without a session.' }),
    claimedGuestCart: z.string().optional().meta({ description: 'The guest cart that the sign-in of this session claimed.' }),
    createdAt: instant.optional(),
    authenticatedAt: instant.optional(),
    idleExpiresAt: instant.optional(),
    expiresAt: instant.optional(),
    modes: z
      .object({ default: modeSchema, allowed: z.array(modeSchema) })
      .optional()
      .meta({ description: 'What a sign-in may ask for; told by GET /api/session.' }),
    observatory: z.url().optional().meta({
      description: 'Where the Observatory of this shop is; told by GET /api/session, on a shop that `npm start` runs on this machine.',
    }),
    region: regionsSchema.optional(),
  })
  .meta({ id: 'Session' });

export const signedInSchema = sessionSchema
  .extend({
    merge: z
      .object({ state: z.literal('pending'), from: z.string() })
      .optional()
      .meta({ description: 'A guest cart was claimed: its lines join this cart in a moment.' }),
    cartWaitsFor: z.string().optional().meta({
      description: 'The region where this browser was a guest, while it does not answer. The cart from there joins this one once it does.',
    }),
    endedOldest: z.boolean().optional().meta({ description: 'True when an older session was ended because there were too many.' }),
  })
  .meta({ id: 'SignedIn' });

type SessionBody = z.output<typeof sessionSchema>;
type SignedInBody = z.output<typeof signedInSchema>;

export const noSession: SessionBody = { state: 'none' };

export function sessionBody(view: SessionView): SessionBody {
  const isUser = view.state === SessionState.USER;
  const mode = tokenModeNameOf[view.mode];
  return {
    state: isUser ? 'user' : 'guest',
    ...(mode !== undefined && { mode }),
    ...(isUser && { user: { id: view.subject, name: view.name, email: view.email, ...(view.role === 'admin' && { role: 'admin' }) } }),
    handle: view.handle,
    cartId: view.subject,
    ...(view.claimedGuestCart !== '' && { claimedGuestCart: view.claimedGuestCart }),
    createdAt: isoOf(view.createdAtMs),
    ...(isUser && { authenticatedAt: isoOf(view.authenticatedAtMs) }),
    idleExpiresAt: isoOf(view.idleExpiresAtMs),
    expiresAt: isoOf(view.expiresAtMs),
  };
}

/**
 * Answers a sign-in or sign-up with a new token. The cart's merge is pending from now on, whether or not the cart service has heard of it.
 * @param cartWaitsFor see replaced-session.ts
 */
export function signedInAnswer(status: number, issued: SessionIssued, cartWaitsFor: string | undefined): Answer {
  const view = viewOf(issued);
  const body: SignedInBody = {
    ...sessionBody(view),
    ...(view.claimedGuestCart !== '' && { merge: { state: 'pending', from: view.claimedGuestCart } }),
    ...(cartWaitsFor !== undefined && { cartWaitsFor }),
    ...(issued.endedOldest && { endedOldest: true }),
  };
  return { status, body, newToken: tokenOf(issued), ...(issued.knownDevice !== '' && { knownDevice: issued.knownDevice }) };
}

export const isoOf = (ms: bigint): string => new Date(Number(ms)).toISOString();

/** Maps a mode's name to auth's word. Without a name auth takes the operator's default. */
export const askedMode = (name: TokenModeName | undefined): TokenMode => (name === undefined ? TokenMode.UNSPECIFIED : tokenModeOf[name]);
