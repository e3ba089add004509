/** A process judges identity by three things: auth's keys, the revocations it has heard, and whether it may still trust its cache. */
import type { VerifiedIdentity } from '@cloakroom/mesh';

/** Verifies compact JWS by auth's published keys. It is synchronous: keys are fetched ahead of need, and refetched, bounded, for an unknown kid. */
export interface KeyRing {
  /** The public key of a live kid, as node:crypto takes it; undefined when unknown or retired. */
  find(kid: string): import('node:crypto').KeyObject | undefined;
  /**
   * Asks auth again, at most once a second, for an unknown kid.
   * @param kid the wanted one. The fetch begins after this call. If auth does not list the kid, it is not asked for again for a while
   */
  refresh(kid?: string): Promise<void>;
  retire(kid: string): void;
}

export interface RevocationFeed {
  /**
   * Whether this process may use its cached identity without asking auth. True only for 2 s of monotonic time after the earlier of two moments:
   * - the start of a fetch that returned a heartbeat and reached the high watermark;
   * - the relay's own moment in that heartbeat, translated to this process's clock by the relay's last answer about its clock.
   *
   * So a lagging reader, a broker that held the heartbeat up, a steady delay or clock skew cannot renew it
   * (docs/decisions/0018-the-relay-is-asked-for-its-clock.md).
   */
  leaseValid(): boolean;
  /** Milliseconds since the lease was last renewed; Infinity before the first. */
  leaseAgeMs(): number;
  /** Whether this identity's session, user epoch or the global epoch was revoked, as far as this process has heard. */
  isRevoked(identity: Pick<VerifiedIdentity, 'subject' | 'handle' | 'epoch' | 'globalEpoch' | 'issuedAtMs'>): boolean;
  /** Whether the token with this hash (base64url SHA-256 of its secret) was revoked or rotated away. */
  isTokenRevoked(tokenHash: string): boolean;
  /** Called after each change that may end cached identity or live streams. Returns the unsubscribe function. */
  onRevocation(listener: (what: Revocation) => void): () => void;
  /** Resolves when what was published before the start has been read back. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

export type Revocation =
  | { readonly kind: 'token'; readonly tokenHash: string; readonly handle: string; readonly subject: string; readonly ended: boolean }
  | { readonly kind: 'user'; readonly subject: string; readonly epoch: number }
  | { readonly kind: 'global'; readonly epoch: number }
  | { readonly kind: 'key'; readonly kid: string }
  /** A record could not be decoded or was not signed: forget everything cached. */
  | { readonly kind: 'distrust' };
