/**
 * The second space of the view in Redis, which a replay (replay.ts) fills beside the serving one, and the switch to it. One script switches a partition:
 * it moves the pointer only when both spaces stand at the same record of the same log, and of each copy of another region's log. So no reader goes back,
 * and the serving projector has forwarded exactly the records that the new space holds. From the next record on it projects into the new space.
 */
import type { RedisConnection } from '@cloakroom/platform/redis';
import { cartKey, dueKey, isBefore, placeKey, servingKey, spaceOfKey } from './cart.view.keys.ts';
import { reach } from './cart.view.ts';

/**
 * KEYS: serving, place of the old space, place of the new. ARGV: name, old space, new space. A place: see cart.view.keys.ts.
 * A call that is repeated after a lost answer returns what the first call did.
 */
const switchScript = `#!lua
local serving = redis.call('GET', KEYS[1]) or ARGV[1]
if serving == ARGV[3] then return 1 end
if serving ~= ARGV[2] then return 0 end
local old, new = redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])
if not old or not new then return 0 end
-- Where a place stands: the log, the position in it, and the position in each copy. And whether it is being rebuilt.
local function stand(place)
  local next, rebuiltAt, log, copies = string.match(place, '^(%d+) (%d+) %d+ (%S+)(.*)$')
  if not next then return nil, true end
  local rebuilding, at = tonumber(next) < tonumber(rebuiltAt), {}
  for region, copied, rebuilt in string.gmatch(copies, ' ([^: ]+):(%d+):(%d+):') do
    rebuilding = rebuilding or tonumber(copied) < tonumber(rebuilt)
    at[#at + 1] = region .. ':' .. copied
  end
  table.sort(at)
  return log .. ' ' .. next .. ' ' .. table.concat(at, ' '), rebuilding
end
local built, rebuilding = stand(new)
if rebuilding or built ~= stand(old) then return 0 end
-- Both spaces have read the same. The old one also knows how far it heard each log, whose records may have left the copy since.
redis.call('SET', KEYS[3], string.match(new, '^%d+ %d+ %d+ %S+') .. string.match(old, '^%d+ %d+ %d+ %S+(.*)$'))
redis.call('SET', KEYS[1], ARGV[3])
return 1
`;

/** How many keys one SCAN step asks for. */
const scanCount = 500;

/** Each method @throws ViewUnavailable */
export interface Spaces {
  /** The serving space of each partition. */
  serving(partitions: readonly number[]): Promise<Map<number, string>>;
  /** @returns whether this call or an earlier one has switched the partition to the new space; false when they are not level: try again */
  switchOver(partition: number, from: string, to: string): Promise<boolean>;
  /** Deletes all older spaces, also those of earlier runs. To be called only when this space serves every partition. */
  dropBefore(space: string): Promise<void>;
}

export function openSpaces(redis: RedisConnection, name = 'v1'): Spaces {
  redis.defineCommand('switchSpace', { lua: switchScript, numberOfKeys: 3 });
  const switching = redis as RedisConnection & { switchSpace(...args: string[]): Promise<number> };
  const servingOf = async (partition: number): Promise<string> => (await redis.get(servingKey(name, partition))) ?? name;
  return {
    serving: (partitions) =>
      reach(async () => new Map(await Promise.all(partitions.map(async (one) => [one, await servingOf(one)] as const)))),
    switchOver: (partition, from, to) =>
      reach(async () => {
        const keys = [servingKey(name, partition), placeKey(from, partition), placeKey(to, partition)];
        return (await switching.switchSpace(...keys, name, from, to)) === 1;
      }),
    dropBefore: (space) => reach(() => unlinkAll(redis, '{cart:*}:*', (key) => isBefore(spaceOfKey(key) ?? space, space))),
  };
}

/** Deletes one partition of a space that no process reads: its log was replaced, or a replay is about to fill it. */
export async function dropSpace(redis: RedisConnection, space: string, partition: number): Promise<void> {
  await redis.del(placeKey(space, partition), dueKey(space, partition));
  await unlinkAll(redis, cartKey(space, partition, '*'), () => true);
}

/** Scans all keys. */
async function unlinkAll(redis: RedisConnection, pattern: string, isMeant: (key: string) => boolean): Promise<void> {
  const servers = 'slots' in redis ? redis.nodes('master') : [redis];
  for (const server of servers) {
    let cursor = '0';
    do {
      const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', scanCount);
      // One by one, because keys of several partitions are in several slots.
      await Promise.all(keys.filter(isMeant).map((key) => redis.unlink(key)));
      cursor = next;
    } while (cursor !== '0');
  }
}
