import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from './session.limits.ts';
import { decide, evolve, isLive, isSteppedUp, newSession, noSession, sessionState } from './session.ts';
import type { Decision, SessionCommand, SessionEvent, SessionState } from './session.ts';

const t0 = 1_800_000_000_000;
const minute = 60_000;
const day = 24 * 60 * minute;

const after = (state: SessionState, ...commands: SessionCommand[]): SessionState =>
  commands.reduce((now, command) => decide(now, command).events.reduce(evolve, now), state);
const guest = (atMs = t0): SessionState => after(noSession, { kind: 'startGuest', handle: 'h1', subject: 'g_1', atMs });
const user = (atMs = t0): SessionState => after(noSession, { kind: 'signIn', handle: 'h2', subject: 'u_1', atMs });
const kinds = ({ events }: Decision): string[] => events.map((event) => event.kind);

describe('the way of a session', () => {
  it('is none before somebody does something that needs one', () => {
    expect(decide(noSession, { kind: 'touch', atMs: t0 })).toEqual({ events: [], refused: 'session_required' });
    expect(decide(noSession, { kind: 'end', reason: 'logout', atMs: t0 })).toEqual({ events: [] });
  });
  it('begins as a guest, once', () => {
    expect(guest()).toMatchObject({ kind: 'guest', handle: 'h1', subject: 'g_1', createdAtMs: t0 });
    expect(decide(guest(), { kind: 'startGuest', handle: 'h9', subject: 'g_9', atMs: t0 })).toEqual({ events: [] });
    expect(decide(user(), { kind: 'startGuest', handle: 'h9', subject: 'g_9', atMs: t0 })).toEqual({ events: [] });
  });
  it('replaces the guest at sign-in, under a new handle, and claims the guest cart', () => {
    const decision = decide(guest(), { kind: 'signIn', handle: 'h2', subject: 'u_1', atMs: t0 + 5 });
    expect(decision.events).toMatchObject([
      { kind: 'Ended', handle: 'h1', reason: 'signed_in' },
      { kind: 'SignedIn', handle: 'h2', subject: 'u_1', claimedGuestCart: 'g_1' },
    ]);
    expect(decision.events.reduce(evolve, guest())).toMatchObject({
      kind: 'user',
      handle: 'h2',
      claimedGuestCart: 'g_1',
      authenticatedAtMs: t0 + 5,
    });
  });
  it('claims nothing from another user, and nothing from a guest that is over', () => {
    const signIn: SessionCommand = { kind: 'signIn', handle: 'h3', subject: 'u_2', atMs: t0 };
    for (const state of [noSession, user(), after(guest(), { kind: 'end', reason: 'logout', atMs: t0 })]) {
      expect(decide(state, signIn).events.at(-1)).toMatchObject({ kind: 'SignedIn', claimedGuestCart: '' });
    }
    const late = { ...signIn, atMs: t0 + limits.guest.idleTimeoutMs };
    expect(decide(guest(), late).events).toMatchObject([{ kind: 'Expired' }, { kind: 'SignedIn', claimedGuestCart: '' }]);
  });
  it('ends once, whatever is repeated', () => {
    const over = after(user(), { kind: 'end', reason: 'logout', atMs: t0 });
    expect(over).toEqual({ kind: 'revoked', handle: 'h2', atMs: t0, reason: 'logout' });
    expect(decide(over, { kind: 'end', reason: 'device_ended', atMs: t0 + 1 })).toEqual({ events: [] });
  });
  it('is over for everything but a new session once it is revoked or expired', () => {
    for (const over of [after(user(), { kind: 'end', reason: 'logout', atMs: t0 }), after(user(), { kind: 'touch', atMs: t0 + day })]) {
      for (const kind of ['touch', 'reauthenticate', 'stepUp'] as const) {
        expect(decide(over, { kind, atMs: t0 + day })).toEqual({ events: [], refused: 'session_ended' });
      }
      expect(after(over, { kind: 'startGuest', handle: 'h9', subject: 'g_9', atMs: t0 + day }).kind).toBe('guest');
    }
  });
  it('lets a guest neither step up nor re-authenticate', () => {
    for (const kind of ['reauthenticate', 'stepUp'] as const) expect(decide(guest(), { kind, atMs: t0 }).refused).toBe('sign_in_required');
  });
});

describe('limits of time', () => {
  it.each([
    ['a guest', guest(), limits.guest],
    ['a user', user(), limits.user],
  ])('end %s who was idle too long, to the millisecond', (_who, state, limit) => {
    expect(decide(state, { kind: 'touch', atMs: t0 + limit.idleTimeoutMs - 1 })).toEqual({
      events: [{ kind: 'Touched', atMs: t0 + limit.idleTimeoutMs - 1 }],
    });
    expect(decide(state, { kind: 'touch', atMs: t0 + limit.idleTimeoutMs })).toMatchObject({
      events: [{ kind: 'Expired', limit: 'idle' }],
      refused: 'session_ended',
    });
  });
  it('end a session at the absolute limit however active it was', () => {
    let state = user();
    let now = t0;
    for (; now + 20 * 60 * minute < t0 + limits.user.absoluteTimeoutMs; now += 20 * 60 * minute)
      state = after(state, { kind: 'touch', atMs: now });
    state = after(state, { kind: 'touch', atMs: now }, { kind: 'reauthenticate', atMs: now });
    expect(state).toMatchObject({ kind: 'user', idleExpiresAtMs: t0 + limits.user.absoluteTimeoutMs });
    expect(after(state, { kind: 'touch', atMs: t0 + limits.user.absoluteTimeoutMs })).toMatchObject({ kind: 'expired', limit: 'absolute' });
  });
  it('are moved by activity once a minute at most', () => {
    expect(decide(user(), { kind: 'touch', atMs: t0 + minute - 1 })).toEqual({ events: [] });
    expect(kinds(decide(user(), { kind: 'touch', atMs: t0 + minute }))).toEqual(['Touched']);
  });
  it('ask for the password again when the proof is 5 minutes old', () => {
    expect(decide(user(), { kind: 'stepUp', atMs: t0 + limits.stepUpAgeMaxMs - 1 })).toEqual({ events: [] });
    expect(decide(user(), { kind: 'stepUp', atMs: t0 + limits.stepUpAgeMaxMs })).toEqual({ events: [], refused: 'step_up_required' });
    const again = after(user(), { kind: 'reauthenticate', atMs: t0 + 6 * minute });
    expect(again).toMatchObject({ handle: 'h2', createdAtMs: t0 });
    expect(decide(again, { kind: 'stepUp', atMs: t0 + 7 * minute })).toEqual({ events: [] });
  });
  it('take no proof from the future, and none from nobody', () => {
    expect(isSteppedUp({ authenticatedAtMs: t0 + day }, t0)).toBe(false);
    expect(isSteppedUp({ authenticatedAtMs: t0 + 500 }, t0), 'another replica, its clock ahead').toBe(true);
    expect(isSteppedUp({ authenticatedAtMs: 0 }, 1)).toBe(false);
  });
});

describe('any history', () => {
  // Every wait is at least a millisecond: handles are as unique as ids are.
  const command: fc.Arbitrary<(atMs: number) => SessionCommand> = fc.oneof(
    fc.constant((atMs: number) => ({ kind: 'startGuest', handle: `h${atMs}`, subject: 'g_1', atMs }) as const),
    fc.constant((atMs: number) => ({ kind: 'signIn', handle: `h${atMs}`, subject: 'u_1', atMs }) as const),
    fc.constantFrom('touch', 'reauthenticate', 'stepUp').map((kind) => (atMs: number) => ({ kind, atMs }) as const),
    fc.constant((atMs: number) => ({ kind: 'end', reason: 'logout', atMs }) as const),
  );
  const history = fc.array(fc.tuple(command, fc.constantFrom(1, minute, 60 * minute, day, 8 * day)), { maxLength: 40 });
  const play = (
    steps: [(atMs: number) => SessionCommand, number][],
    each: (state: SessionState, atMs: number, events: readonly SessionEvent[]) => void,
  ) => {
    let [state, now] = [noSession as SessionState, t0];
    for (const [make, wait] of steps) {
      now += wait;
      const { events } = decide(state, make(now));
      state = events.reduce(evolve, state);
      each(state, now, events);
    }
  };
  it('never has a live session past a limit, nor a limit past the absolute one', () => {
    fc.assert(
      fc.property(history, (steps) =>
        play(steps, (state, now) => {
          if (!isLive(state)) return;
          expect(state.idleExpiresAtMs).toBeGreaterThan(now);
          expect(state.idleExpiresAtMs).toBeLessThanOrEqual(state.expiresAtMs);
          expect(state.expiresAtMs - state.createdAtMs).toBe(limits[state.kind].absoluteTimeoutMs);
        }),
      ),
    );
  });
  it('never leads from a dead session to a live one but by a new one', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let before: SessionState = noSession;
        play(steps, (state, _now, events) => {
          if (isLive(state) && !isLive(before))
            expect(events.some((event) => event.kind === 'GuestStarted' || event.kind === 'SignedIn')).toBe(true);
          before = state;
        });
      }),
    );
  });
  it('changes nothing when its last events come again', () => {
    fc.assert(
      fc.property(history, (steps) =>
        play(steps, (state, _now, events) => {
          // An event log delivers at least once; a batch is repeated whole.
          const last = events.filter((event) => event.kind !== 'GuestStarted' && event.kind !== 'SignedIn');
          expect(last.reduce(evolve, state)).toEqual(state);
        }),
      ),
    );
  });
});

describe('the store and the rules', () => {
  it('keep the same thing', () => {
    const kept = { key: { tag: '0abc', hash: 'h' }, mode: 'hybrid', device: 'x', region: 'local', globalEpoch: 0, epoch: 4 } as const;
    for (const state of [guest(), after(guest(), { kind: 'signIn', handle: 'h2', subject: 'u_1', atMs: t0 })]) {
      if (!isLive(state)) throw new Error('live');
      expect(sessionState({ epoch: 0, ...newSession(state, kept) })).toEqual(state);
      expect(newSession(state, kept)).toMatchObject({ hash: 'h', tag: '0abc', state: state.kind, epoch: 4 });
    }
  });
});
