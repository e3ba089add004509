/**
 * Judges a session by what was read of it at one moment: pure, and the same for every store that reads before it answers. Redis' scripts have the
 * same rules in Lua, since a script that writes must judge within the same call (session.scripts.ts). The contract suite holds both to them.
 */
import { limits } from './session.limits.ts';
import type { SessionRecord } from './session.store.ts';

/** All of it belongs to one moment. Evidence of two moments could show neither the tombstone of a session nor the rise of its epoch. */
export interface Evidence {
  readonly record: SessionRecord | undefined;
  /** Whether there is a tombstone of the token's hash, or of the session's handle. */
  readonly tombstoned: boolean;
  /** The epoch of the record's subject. */
  readonly epoch: number;
  /** The hash under which the subject's index lists the record's handle. */
  readonly listedHash: string | undefined;
}

/** The one definition of a live session. @param hash the token that was shown @returns the record, or undefined when it is not live */
export function liveRecord(hash: string, { record, tombstoned, epoch, listedHash }: Evidence, nowMs: number): SessionRecord | undefined {
  if (record === undefined || record.hash !== hash || tombstoned) return undefined;
  if (record.idleExpiresAtMs <= nowMs || record.expiresAtMs <= nowMs) return undefined;
  return record.epoch >= epoch && listedHash === hash ? record : undefined;
}

/** Whether an activity now must move the idle limit: at most once a minute. */
export const isTouchDue = (record: SessionRecord, nowMs: number): boolean => nowMs - record.lastSeenAtMs >= limits.touchIntervalMs;
