/**
 * The messages of the supervisor and the Observatory, over the channel between a parent process and its child. No other process hears them.
 *
 * The supervisor tells the whole stack after each change. The Observatory asks for an action on a process, and keeps a pause alive.
 */

/** A paused process runs on once the Observatory has not renewed the pause for this long. So a lost Observatory leaves no fault behind. */
export const pauseLeaseMs = 2_000;
/** Four renewals fit into a lease, so one that comes late ends no pause. */
export const pauseRenewalMs = 500;
/** The longest pause, however often it is renewed: a page that somebody forgot must not hold a shop for a night. */
export const pauseMaxMs = 10 * 60_000;

export interface LinkedProcess {
  readonly name: string;
  readonly kind: 'app' | 'embedded' | 'redis' | 'kafka' | 'postgres' | 'observatory' | 'mirror' | 'ocean';
  /** The apps within, where it is embedded: auth, cart, gateway-1 ... */
  readonly apps: readonly string[];
  readonly needs: readonly string[];
  readonly url: string;
  readonly ports: readonly number[];
  /** Addresses of its own readiness; none where it speaks no HTTP. */
  readonly readyUrls: readonly string[];
  readonly state: 'waiting' | 'starting' | 'ready' | 'restarting' | 'paused' | 'ended';
  readonly pid: number | undefined;
  readonly restarts: number;
  /** The processes that it opens connections to; absent where that is not drawn: in embedded, and for stores. */
  readonly connectsTo?: readonly string[];
  /** The region that it is in, where there are two: eu, us. Absent for what belongs to none. */
  readonly region?: string | undefined;
  /** The file that it writes its log to; absent before its first start. */
  readonly logFile?: string | undefined;
}

export interface LinkedStack {
  readonly provider: string;
  readonly profile: string;
  readonly gateways: readonly string[];
  readonly processes: readonly LinkedProcess[];
}

export const processActions = ['pause', 'resume', 'kill', 'restart'] as const;
export type ProcessAction = (typeof processActions)[number];

export type ToObservatory =
  | { readonly kind: 'stack'; readonly stack: LinkedStack }
  /** @property refusal why the action was not done; undefined where it was */
  | { readonly kind: 'done'; readonly id: number; readonly refusal: string | undefined };

export type ToSupervisor =
  | { readonly kind: 'act'; readonly id: number; readonly process: string; readonly action: ProcessAction }
  /** Renews the pauses that the Observatory still wants. */
  | { readonly kind: 'keep-paused'; readonly processes: readonly string[] };
