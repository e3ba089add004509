import { formatUuid, uuidV7 } from '@cloakroom/contracts';
import type { Auth } from '../auth.ts';

/** Ordered by time, for rows and events. Unfit for ids that must not tell when they were made. */
export const newEventId = (auth: Pick<Auth, 'random'>, nowMs: number): string => uuidV7(nowMs, auth.random(10));

/** UUIDv4 (RFC 9562 5.4): for subjects and handles, which strangers may see. */
export function newUuid(auth: Pick<Auth, 'random'>): string {
  const bytes = Uint8Array.from(auth.random(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}
