/** Looks at sessions in Redis, and plants them, in either layout. */
import type { Cluster, Redis } from 'ioredis';
import { sessionKey, subjectKey } from './keys.ts';
import { pack } from './session.redis.record.ts';
import type { SessionLayout } from './session.store.redis.ts';
import type { SessionRecord, TokenKey } from './session.store.ts';

type Connection = Redis | Cluster;

/** The hashes in a subject's index. */
export async function indexedIn(redis: Connection, tag: string, subject: string): Promise<string[]> {
  const key = subjectKey(tag, subject);
  if ((await redis.type(key)) === 'string') return (await redis.get(key))!.split('\n').filter((_, line) => line > 1 && line % 2 === 1);
  const { epoch: _, ...hashes } = await redis.hgetall(key);
  return Object.values(hashes);
}

export async function plantIn(redis: Connection, key: TokenKey, record: SessionRecord, layout: SessionLayout = 'packed'): Promise<void> {
  const name = sessionKey(key.tag, key.hash);
  if (layout === 'packed') return void (await redis.set(name, pack(record), 'PX', 60_000));
  await redis.hset(name, hashOf(record));
  await redis.pexpire(name, 60_000);
}

/** A record as a build before decision 0037 kept it. */
export function hashOf(r: SessionRecord): Record<string, string | number> {
  const { hash, tag, handle, subject: sub, state, mode, region, device: dev, claimedGuestCart: cart } = r;
  const times = { crt: r.createdAtMs, auth: r.authenticatedAtMs, seen: r.lastSeenAtMs, idle: r.idleExpiresAtMs, exp: r.expiresAtMs };
  const counted = r.generation > 0 && { gen: r.generation, genAt: r.rotatedAtMs };
  const proved = r.amr !== '' && { amr: r.amr };
  return { hash, tag, handle, sub, state, mode, ep: r.epoch, gep: r.globalEpoch, ...times, dev, cart, region, ...counted, ...proved };
}
