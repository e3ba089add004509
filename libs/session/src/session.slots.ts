/** Finds the connection that a plain read goes out on: a packet of several commands must stay on one. */
import type { Redis } from 'ioredis';
import type { RedisConnection } from './session.servers.ts';

const slotCount = 16_384;

/** The connection to the owner of this tag's slot, as far as the client knows it. Undefined in a cluster that does not know it now. */
export function connectionFor(redis: RedisConnection, tag: string): Redis | undefined {
  if (!('slots' in redis)) return redis;
  const owner = redis.slots[slotOf(tag)]?.[0];
  return redis.nodes('master').find(({ options, status }) => `${options.host}:${options.port}` === owner && status === 'ready');
}

/** CRC16 (XMODEM) of the hash tag, by the Redis Cluster specification. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  }
  return (crc & 0xffff) % slotCount;
}
