/**
 * The session store port: the fast copy of the signed-in sessions. The durable truth is auth's database (docs/decisions). Two adapters (Redis,
 * in-memory) share one contract suite. Every operation is atomic. In Redis it is one Lua call in one slot, or one MGET where nothing is written.
 *
 * Two rules make every race end well. A write needs "exists and not tombstoned", so a logout that races a touch, a rotation or a cache fill stays a
 * logout. Tombstones only grow and epochs only rise, so repeating or reordering revocations changes nothing.
 *
 * A session is live when all of this holds. Its record is there under its own hash. Neither hash nor handle is tombstoned, and neither limit has
 * passed. Its epoch is the subject's, and the subject's index lists it under this hash. A session without its index (eviction, a torn copy) is
 * dead: it fails closed. Auth compares the global epoch, which belongs to no slot.
 */
import type { TokenModeName } from '@cloakroom/contracts';

export type TokenMode = TokenModeName;

/** Times are milliseconds since 1970. No field is longer than 64 bytes, and none has a control character. */
export interface SessionRecord {
  /** base64url SHA-256 of the token's secret. Compared on every read: a desynchronised connection must not hand out another's session. */
  readonly hash: string;
  /** One of 65,536 shard labels, 4 hex digits: fixed for a user, random for a guest. */
  readonly tag: string;
  /** Public name of the session; survives rotation. */
  readonly handle: string;
  readonly subject: string;
  readonly state: 'guest' | 'user';
  readonly mode: TokenMode;
  readonly epoch: number;
  readonly globalEpoch: number;
  readonly createdAtMs: number;
  /** 0 for a guest. */
  readonly authenticatedAtMs: number;
  readonly lastSeenAtMs: number;
  readonly idleExpiresAtMs: number;
  readonly expiresAtMs: number;
  readonly device: string;
  /** The guest cart that this sign-in claimed; '' for none. */
  readonly claimedGuestCart: string;
  readonly region: string;
  /** How many refresh tokens were made after the first; 0 in opaque modes. The newest one has this number. */
  readonly generation: number;
  /** When the newest was made; 0 for the first. Negative after a proof, or after a change that a proof allowed (session.refresh.ts). */
  readonly rotatedAtMs: number;
  /** How the person proved who they are: RFC 8176 values, separated by a space. '' for a guest, and for a password alone. */
  readonly amr: string;
}

/** Locates a token's record. */
export interface TokenKey {
  readonly tag: string;
  readonly hash: string;
}

/**
 * `epoch`: the subject's epoch as the caller's database held it when the person was authenticated. The session is born under it. If the store's epoch
 * has risen since, the person was revoked in between, and the store creates nothing. The value also restores the epoch of a store that lost it.
 * Without it the store uses its current epoch, so a sign-in that overlaps a revoke-all may survive it.
 */
export type NewSession = Omit<SessionRecord, 'epoch'> & { readonly epoch?: number };

export interface Tombstone {
  readonly tag: string;
  /** The hash of a token (rotated away) or the handle of a session (ended). */
  readonly name: string;
  readonly subject: string;
  /** When it may be forgotten: not before the session's absolute limit. */
  readonly untilMs: number;
}

/**
 * rotated: the counter moved. repeated: it had just moved, and this caller lost the race. superseded: it had just moved by a proof or a change, whose
 * successor is not for this caller. reused: this token was used before.
 */
export type RefreshVerdict = 'rotated' | 'repeated' | 'superseded' | 'reused';

/**
 * now: the person has just proved their identity, and the authentication is renewed too. earlier: a proof of a few minutes ago allowed the change,
 * and its age stays as it is. Either way the predecessor gets nothing.
 */
export type Proof = 'none' | 'now' | 'earlier';

export interface RefreshRequest {
  readonly key: TokenKey;
  /** The number in the token that was shown. */
  readonly generation: number;
  readonly proof: Proof;
  /** Moves the idle limit, as for `resolve`. */
  readonly touch: { readonly idleTimeoutMs: number } | undefined;
}

export interface SessionStore {
  /**
   * Adds a session. At the limit of parallel sessions the ones idle longest are ended and returned. Repeating it with the same handle and hash
   * changes nothing (and returns no `ended`). The same handle with another hash replaces the token: a saga was resumed without its token.
   * 'tombstoned' when its handle or hash is already dead or its epoch has passed (a resumed saga that lost to a logout).
   * @throws RangeError when it would be born expired, or a field has more than 64 bytes or a control character (a device label is cut and cleaned)
   */
  create(
    session: NewSession,
    sessionCountMax: number,
    nowMs: number,
  ): Promise<{ session: SessionRecord; ended: SessionRecord[] } | 'tombstoned'>;
  /**
   * The live session of a token, or undefined: unknown, expired, revoked and tombstoned look the same.
   * With `touch`, moves the idle limit by `idleTimeoutMs`, at most once a minute and never past the absolute limit.
   */
  resolve(key: TokenKey, nowMs: number, touch: { readonly idleTimeoutMs: number } | undefined): Promise<SessionRecord | undefined>;
  /**
   * Replaces the token of a live session and tombstones the old one. Undefined when it is not live (any more) or the successor is dead or taken.
   * Exactly one of two rotations of a token wins.
   */
  rotate(key: TokenKey, successorHash: string, authenticatedAtMs: number, nowMs: number): Promise<SessionRecord | undefined>;
  /**
   * Judges a refresh token by its number and moves the counter where it may (session.refresh.ts says when). Undefined when the session is not live
   * (any more). 'reused' and 'superseded' change nothing: the caller decides whether to end the session.
   */
  refresh(request: RefreshRequest, nowMs: number): Promise<{ verdict: RefreshVerdict; session: SessionRecord } | undefined>;
  /** Ends a session by its handle, whatever its token is by now. Idempotent. Returns the session that was live. */
  revoke(tombstone: Tombstone, nowMs: number): Promise<SessionRecord | undefined>;
  /** Kills one token without ending its session (replay of a rotation). Idempotent. If it was the present token, the session is over. */
  buryToken(tombstone: Tombstone, nowMs: number): Promise<void>;
  /**
   * Raises the subject's epoch to max(old + 1, nowMs) if `epoch` is undefined, else to max(`epoch`, old). Returns it.
   * Sessions below it are gone with this call.
   */
  raiseEpoch(tag: string, subject: string, epoch: number | undefined, nowMs: number): Promise<number>;
  /** The subject's live sessions, newest activity first. */
  list(tag: string, subject: string, nowMs: number): Promise<SessionRecord[]>;
  /**
   * Changes whenever the store may have lost acknowledged writes (restart, failover): auth replays its revocations before it trusts the store
   * again. Rejects when the store cannot be reached.
   */
  incarnation(): Promise<string>;
  /**
   * Registers the replay. The store calls it with the incarnation before the first `create`, `resolve`, `rotate` or `list` of every incarnation, the
   * first one included. It holds these back until the replay resolves. When the replay rejects, they reject too, and the next one calls it again.
   * `revoke`, `buryToken` and `raiseEpoch` are never held back: the replay is made of them, and a revocation is right at any time.
   */
  onIncarnationChange(replay: (incarnation: string) => Promise<void>): void;
  close(): Promise<void>;
}

/** The store cannot be reached or did not answer in time. The outcome of a write is unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
