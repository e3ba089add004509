/**
 * Copies sessions inside Redis, under other names: a hundred thousand in a second. Each copy is as long as the session that the store made, and it is a
 * session too: the store reads it by its own hash.
 */
import { RedisSessionStore, type SessionStore, type TokenKey } from '@cloakroom/session';
import type { Redis } from 'ioredis';

/** Sessions that are copied. */
const templateCount = 200;
/** Copies that one call makes: some milliseconds, in which the server does nothing else. */
const copiesPerCall = 500;

/** KEYS: record, index. ARGV: beginning of the keys, hash, handle, subject, first number, count. */
const copyScript = `
local record, index = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
local recordMs, indexMs = redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2])
local function swap(text, old, new)
  local from, to = string.find(text, old, 1, true)
  return string.sub(text, 1, from - 1) .. new .. string.sub(text, to + 1)
end
for number = tonumber(ARGV[5]), ARGV[5] + ARGV[6] - 1 do
  local name = string.format('%08x', number)
  local hash = name .. string.sub(ARGV[2], 9)
  local handle = string.sub(ARGV[3], 1, 2) .. name .. string.sub(ARGV[3], 11)
  local subject = string.sub(ARGV[4], 1, 2) .. name .. string.sub(ARGV[4], 11)
  local copied = swap(swap(swap(record, ARGV[2], hash), ARGV[3], handle), ARGV[4], subject)
  redis.call('SET', ARGV[1] .. 's:' .. hash, copied, 'PX', recordMs)
  redis.call('SET', ARGV[1] .. 'u:' .. subject, swap(swap(index, ARGV[2], hash), ARGV[3], handle), 'PX', indexMs)
end`;

/** Adds to `keys` until there are `count`. @throws Error where the store does not read a copy */
export async function copySessions(redis: Redis, store: SessionStore, keys: TokenKey[], count: number): Promise<void> {
  const templates = await Promise.all(keys.slice(0, templateCount).map((key) => store.resolve(key, Date.now(), undefined)));
  for (let call = 0; keys.length < count; call++) {
    const template = templates[call % templates.length]!;
    const { tag, hash, handle, subject } = template;
    const [first, copies] = [keys.length, Math.min(copiesPerCall, count - keys.length)];
    const prefix = `{${tag}}:`;
    await redis.eval(copyScript, 2, `${prefix}s:${hash}`, `${prefix}u:${subject}`, prefix, hash, handle, subject, first, copies);
    for (let number = first; number < first + copies; number++)
      keys.push({ tag, hash: number.toString(16).padStart(8, '0') + hash.slice(8) });
  }
  // A store that knows no session asks by script, and judges the copy as any other.
  const reader = new RedisSessionStore(redis);
  const last = keys.at(-1)!;
  const found = await reader.resolve(last, Date.now(), undefined);
  if (found?.hash !== last.hash) throw new Error('the store does not read a copied session');
}
