/**
 * The states of a session: `none -> guest -> user -> revoked | expired`. Pure: time comes in with each command, and the caller makes the handles.
 *
 * `decide` says what a command does to a state, `evolve` what an event makes of it. The stores do the same steps atomically beside other devices and
 * other processes; the contract suite holds them to this.
 *
 * A sign-in does not change a session, it replaces it: a new token, a new handle, the old ones dead (ASVS 7.2.4). A planted guest token stays a
 * guest's, so fixation gains nothing. A re-authentication keeps the handle, since it is the same device, and replaces the token.
 */
import type { ErrorCode } from '@cloakroom/contracts';
import { limits } from './session.limits.ts';
import type { NewSession, SessionRecord, TokenKey, TokenMode } from './session.store.ts';

/** Times are milliseconds since 1970. */
interface Life {
  /** Public name of the session; survives rotation of its token. */
  readonly handle: string;
  readonly subject: string;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  readonly idleExpiresAtMs: number;
  /** The absolute limit: nothing moves it. */
  readonly expiresAtMs: number;
}

export type GuestSession = Life & { readonly kind: 'guest' };
export type UserSession = Life & { readonly kind: 'user'; readonly authenticatedAtMs: number; readonly claimedGuestCart: string };
export type LiveSession = GuestSession | UserSession;

export type EndReason =
  | 'logout'
  /** The person ended this device from another one. */
  | 'device_ended'
  /** The person signed in with this browser. */
  | 'signed_in'
  /** The person's newest session was one too many, and this one was idle longest. */
  | 'too_many'
  /** All of the person's sessions, or all sessions of all people, were ended. */
  | 'epoch_raised';

export type SessionState =
  | { readonly kind: 'none' }
  | LiveSession
  | { readonly kind: 'revoked'; readonly handle: string; readonly atMs: number; readonly reason: EndReason }
  | { readonly kind: 'expired'; readonly handle: string; readonly atMs: number; readonly limit: 'idle' | 'absolute' };

export type SessionCommand =
  /** The first action that needs a session (ASVS 7.6.2: never sooner). */
  | { readonly kind: 'startGuest'; readonly handle: string; readonly subject: string; readonly atMs: number }
  /** Password proved. A guest's cart is claimed, and the browser's earlier session is replaced. */
  | { readonly kind: 'signIn'; readonly handle: string; readonly subject: string; readonly atMs: number }
  /** The person did something. Polls and live streams do not send this. */
  | { readonly kind: 'touch'; readonly atMs: number }
  /** Password proved again by the same person. */
  | { readonly kind: 'reauthenticate'; readonly atMs: number }
  /** The person is about to do something that needs a recent proof. */
  | { readonly kind: 'stepUp'; readonly atMs: number }
  | { readonly kind: 'end'; readonly reason: EndReason; readonly atMs: number };

export type SessionEvent =
  | { readonly kind: 'GuestStarted'; readonly handle: string; readonly subject: string; readonly atMs: number }
  | {
      readonly kind: 'SignedIn';
      readonly handle: string;
      readonly subject: string;
      readonly claimedGuestCart: string;
      readonly atMs: number;
    }
  | { readonly kind: 'Touched'; readonly atMs: number }
  | { readonly kind: 'Reauthenticated'; readonly atMs: number }
  | { readonly kind: 'Ended'; readonly handle: string; readonly reason: EndReason; readonly atMs: number }
  | { readonly kind: 'Expired'; readonly handle: string; readonly limit: 'idle' | 'absolute'; readonly atMs: number };

export interface Decision {
  /** Events in order. There may be some although the command was refused: an expiry was noticed. */
  readonly events: readonly SessionEvent[];
  readonly refused?: ErrorCode;
}

export const noSession: SessionState = { kind: 'none' };

export const isLive = (state: SessionState): state is LiveSession => state.kind === 'guest' || state.kind === 'user';

export function decide(state: SessionState, command: SessionCommand): Decision {
  const limit = isLive(state) ? limitReached(state, command.atMs) : undefined;
  if (isLive(state) && limit !== undefined) {
    const expired = { kind: 'Expired', handle: state.handle, limit, atMs: command.atMs } as const;
    const rest = decide(evolve(state, expired), command);
    return { ...rest, events: [expired, ...rest.events] };
  }
  switch (command.kind) {
    case 'startGuest':
      // Two tabs' first writes: the second one keeps the session that is there.
      return { events: isLive(state) ? [] : [{ ...command, kind: 'GuestStarted' }] };
    case 'signIn':
      return { events: signIn(state, command) };
    case 'touch':
      if (!isLive(state)) return refuse(state);
      return { events: touchDue(state, command.atMs) ? [{ kind: 'Touched', atMs: command.atMs }] : [] };
    case 'reauthenticate':
      if (state.kind !== 'user') return refuse(state);
      return { events: [{ kind: 'Reauthenticated', atMs: command.atMs }] };
    case 'stepUp':
      if (state.kind !== 'user') return refuse(state);
      return isSteppedUp(state, command.atMs) ? { events: [] } : { events: [], refused: 'step_up_required' };
    case 'end':
      // Ending an ended session is a success: a repeated logout must not look like a failure.
      return { events: isLive(state) ? [{ kind: 'Ended', handle: state.handle, reason: command.reason, atMs: command.atMs }] : [] };
  }
}

export function evolve(state: SessionState, event: SessionEvent): SessionState {
  switch (event.kind) {
    case 'GuestStarted':
      return { kind: 'guest', ...born(event, limits.guest) };
    case 'SignedIn':
      return { kind: 'user', ...born(event, limits.user), authenticatedAtMs: event.atMs, claimedGuestCart: event.claimedGuestCart };
    case 'Touched':
      if (!isLive(state)) return state;
      return { ...state, lastSeenAtMs: event.atMs, idleExpiresAtMs: idleLimit(state, event.atMs) };
    case 'Reauthenticated':
      return state.kind === 'user' ? { ...state, authenticatedAtMs: event.atMs } : state;
    // A dead session stays dead. A late end or expiry changes nothing, and only a new session leads out of either state.
    case 'Ended':
      return isLive(state) && state.handle === event.handle
        ? { kind: 'revoked', handle: event.handle, atMs: event.atMs, reason: event.reason }
        : state;
    case 'Expired':
      return isLive(state) && state.handle === event.handle
        ? { kind: 'expired', handle: event.handle, atMs: event.atMs, limit: event.limit }
        : state;
  }
}

/** Whether an authentication is recent enough for the sensitive operations. One from the future (a clock that jumped back) is not. */
export function isSteppedUp(session: { readonly authenticatedAtMs: number }, nowMs: number): boolean {
  const ageMs = nowMs - session.authenticatedAtMs;
  return session.authenticatedAtMs > 0 && ageMs >= -clockDifferenceMaxMs && ageMs < limits.stepUpAgeMaxMs;
}

/** Replicas of auth share no clock. An authentication may seem to come from the future by NTP's worst error. */
export const clockDifferenceMaxMs = 1_000;

/**
 * The date of a replica's statement about a session. A step-up is announced by its date, and verifiers refuse every older statement. A replica with a
 * slow clock would go on making statements that verifiers refuse, and a step-up would sign the person out. The record that it has read tells when the
 * step-up was, so its statement is no older.
 * @param nowMs before the record was read
 */
export function statedAtMs(session: Pick<SessionRecord, 'authenticatedAtMs' | 'rotatedAtMs'>, nowMs: number): number {
  // Only the counter's proofs and changes matter here, whose dates are negative (session.refresh.ts).
  const announcedMs = Math.max(session.authenticatedAtMs, -session.rotatedAtMs);
  return Math.max(nowMs, Math.min(announcedMs, nowMs + clockDifferenceMaxMs));
}

/** The store's form of a live state, under the token that was made for it. */
export function newSession(
  state: LiveSession,
  kept: {
    readonly key: TokenKey;
    readonly mode: TokenMode;
    readonly device: string;
    readonly region: string;
    readonly globalEpoch: number;
    readonly epoch?: number;
    readonly amr?: string;
  },
): NewSession {
  const { kind, ...life } = state;
  const { key, ...rest } = kept;
  const user =
    state.kind === 'user'
      ? { authenticatedAtMs: state.authenticatedAtMs, claimedGuestCart: state.claimedGuestCart }
      : { authenticatedAtMs: 0, claimedGuestCart: '' };
  return { ...life, ...user, ...key, amr: '', ...rest, state: kind, generation: 0, rotatedAtMs: 0 };
}

/** The live state that a record holds. */
export function sessionState(record: SessionRecord): LiveSession {
  const { handle, subject, createdAtMs, lastSeenAtMs, idleExpiresAtMs, expiresAtMs } = record;
  const life = { handle, subject, createdAtMs, lastSeenAtMs, idleExpiresAtMs, expiresAtMs };
  if (record.state === 'guest') return { kind: 'guest', ...life };
  return { kind: 'user', ...life, authenticatedAtMs: record.authenticatedAtMs, claimedGuestCart: record.claimedGuestCart };
}

function signIn(state: SessionState, command: Extract<SessionCommand, { kind: 'signIn' }>): SessionEvent[] {
  const signedIn = {
    kind: 'SignedIn',
    handle: command.handle,
    subject: command.subject,
    claimedGuestCart: state.kind === 'guest' ? state.subject : '',
    atMs: command.atMs,
  } as const;
  if (!isLive(state)) return [signedIn];
  return [{ kind: 'Ended', handle: state.handle, reason: 'signed_in', atMs: command.atMs }, signedIn];
}

/** The answer to a person without the session that a command needs. */
function refuse(state: SessionState): Decision {
  const code = {
    none: 'session_required',
    guest: 'sign_in_required',
    user: 'forbidden',
    revoked: 'session_ended',
    expired: 'session_ended',
  } as const;
  return { events: [], refused: code[state.kind] };
}

function limitReached(state: LiveSession, nowMs: number): 'idle' | 'absolute' | undefined {
  if (nowMs >= state.expiresAtMs) return 'absolute';
  return nowMs >= state.idleExpiresAtMs ? 'idle' : undefined;
}

const touchDue = (state: LiveSession, nowMs: number): boolean => nowMs - state.lastSeenAtMs >= limits.touchIntervalMs;

const idleLimit = (state: LiveSession, nowMs: number): number => Math.min(nowMs + limits[state.kind].idleTimeoutMs, state.expiresAtMs);

function born(event: { handle: string; subject: string; atMs: number }, limit: { idleTimeoutMs: number; absoluteTimeoutMs: number }): Life {
  return {
    handle: event.handle,
    subject: event.subject,
    createdAtMs: event.atMs,
    lastSeenAtMs: event.atMs,
    idleExpiresAtMs: event.atMs + limit.idleTimeoutMs,
    expiresAtMs: event.atMs + limit.absoluteTimeoutMs,
  };
}
