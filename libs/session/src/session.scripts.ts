/**
 * The store's operations in Lua, one script each: all that write. Redis runs a script alone, so nothing happens between its reads and its writes.
 * Plain reads ask no script (session.reads.ts), unless something about their answer is in doubt: then `resolve` settles it.
 *
 * - `#!lua` makes Redis (7.0 and later) refuse a key of another slot. The flag `allow-oom` lets all scripts but `create` run when memory is full.
 *   They add at most a tombstone, and a logout must work even then.
 * - KEYS[1] is always the record or index that routes the call. Scripts make further keys from the slot's prefix (ARGV[1]), because one call must do,
 *   and it learns the subject only from the record. These keys have the same tag, hence the same slot.
 * - Every answer repeats the hash, handle or subject that was asked about. The caller compares it, so it notices a wrong answer.
 * - Time is the caller's (ARGV), since tests bring their own clock. TTLs are durations, so Redis' own clock is never compared with ours.
 * - Numbers are written with %d: Lua's own tostring spells 1.79e+12 differently.
 * - The server's own name comes first, read in the same call: `master_replid`. It is new after each start and each promotion, so after everything
 *   that can lose an acknowledged write. The last ARGV lists the servers that the caller trusts ('*': any). Another server does nothing and answers
 *   its name alone (session.servers.ts).
 * - The second item is 'damaged' where a value was met that cannot be read, else empty. The last ARGV but one is the layout of new keys.
 * - While its slot moves to another node of a cluster, a script does nothing and answers TRYAGAIN. The keys that it makes itself may be on either
 *   node. Half a session looks like none, and without its tombstone a dead one looks alive. The script detects the move by asking for two keys that
 *   never exist. The node that gives a slot away refuses them (ASK), and so does the one that takes it (TRYAGAIN). The slot's state cannot
 *   change within a script.
 */
import { limits } from './session.limits.ts';
import { layouts } from './session.scripts.layout.ts';

/** The building blocks of the operations. */
const preamble = `
local prefix = ARGV[1]
local now = tonumber(ARGV[2])
local packs = ARGV[#ARGV - 1] == 'packed'
local unreadable = ''

local function s_key(hash) return prefix .. 's:' .. hash end
local function u_key(subject) return prefix .. 'u:' .. subject end
local function t_key(name) return prefix .. 't:' .. name end
${layouts}
-- "... and not tombstoned": the one place that asks.
local function dead(name) return redis.call('EXISTS', t_key(name)) == 1 end

-- Tombstones only grow: a later end is kept, never an earlier one (GT never shortens).
local function bury(name, until_ms)
  local ttl = until_ms - now
  if ttl <= 0 then return end
  if not redis.call('SET', t_key(name), '1', 'PX', whole(ttl), 'NX') then redis.call('PEXPIRE', t_key(name), whole(ttl), 'GT') end
end

-- What liveRecord (session.liveness.ts) says, within the call that writes. Nil, and 'newer' where the record is of a later layout.
local function live_or_newer(hash)
  local record, why = read(hash)
  if not record then return nil, why end
  if record.hash ~= hash then return nil end
  if dead(hash) or dead(record.handle) then return nil end
  if tonumber(record.idle) <= now or tonumber(record.exp) <= now then return nil end
  local index = index_of(record.sub)
  if tonumber(record.ep) < index.epoch or listed(index, record.handle) ~= hash then return nil end
  return record
end

local function live(hash)
  local record, why = live_or_newer(hash)
  if why == 'newer' then fail_newer() end
  return record
end

-- Everything that is live of a subject; what is not leaves the index. At most sessionCountMax entries, so the loop is short.
local function live_of(subject)
  local index = index_of(subject)
  local records, gone = {}, {}
  for _, entry in ipairs(index.list) do
    local record, why = live_or_newer(entry.hash)
    -- One that only a newer build can read stays for it.
    if record then records[#records + 1] = record elseif why ~= 'newer' then gone[#gone + 1] = entry end
  end
  for _, entry in ipairs(gone) do
    unlist(index, entry.handle)
    redis.call('DEL', s_key(entry.hash))
  end
  table.sort(records, function(a, b)
    if a.seen ~= b.seen then return tonumber(a.seen) > tonumber(b.seen) end
    if a.crt ~= b.crt then return tonumber(a.crt) > tonumber(b.crt) end
    return a.handle < b.handle
  end)
  return records
end

-- Takes a record away and buries its hash (a rotation) or its handle (an end).
local function finish(record, name)
  redis.call('DEL', s_key(record.hash))
  unlist(index_of(record.sub), record.handle)
  bury(name, tonumber(record.exp))
end

-- Epochs only rise. All sessions of before leave at once: each was born under the epoch of its time, or a lower one.
local function raise(subject, to, lifetime)
  local index = index_of(subject)
  local from = index.epoch
  if to > from or from == 0 then set_epoch(index, math.max(to, from)) end
  outlive(index, lifetime)
  if to <= from then return end
  while #index.list > 0 do
    redis.call('DEL', s_key(index.list[1].hash))
    unlist(index, index.list[1].handle)
  end
end
`;

const opening = `
local moving = redis.pcall('EXISTS', ARGV[1] .. '-', ARGV[1] .. '--')
if type(moving) == 'table' then return redis.error_reply('TRYAGAIN the slot is moving, or its cluster is down') end
local server = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)'), 1, 16)
local trusted = ARGV[#ARGV]
if trusted ~= '*' and not string.find(trusted, server, 1, true) then return { server } end
`;

/** The head of a script, its work as a function, and its answer under the server's name. */
const adding = (work: string): string => `#!lua${whole(work)}`;
const always = (work: string): string => `#!lua flags=allow-oom${whole(work)}`;
const whole = (work: string): string => `${opening}${preamble}
local function answer()${work}end
local told = answer()
if told.err then return told end
save_indexes()
table.insert(told, 1, unreadable)
table.insert(told, 1, server)
return told
`;

/**
 * KEYS: record. ARGV: prefix, now, sessionCountMax, epochLifetimeMs, '1' when the epoch is given, then the record.
 * Answers {hash, 'tombstoned'} or {hash, 'created', record, ended...}.
 */
const create = adding(`
local record = unpack_record(ARGV[6])
local hash, handle, subject = record.hash, record.handle, record.sub
if dead(hash) or dead(handle) then return { hash, 'tombstoned' } end
local index = index_of(subject)
if ARGV[5] ~= '1' then record.ep = whole(index.epoch) end
if tonumber(record.ep) < index.epoch then return { hash, 'tombstoned' } end

local taken, why = read(hash)
if why == 'newer' then fail_newer() end
if taken and taken.handle ~= handle then return redis.error_reply('TAKEN two sessions of one token hash') end
raise(subject, tonumber(record.ep), tonumber(ARGV[4]))
outlive(index, tonumber(record.exp) - now)

local held = listed(index, handle)
local present = held and live_or_newer(held)
if present and present.hash == hash then return { hash, 'created', pack_record(present) } end
if present then finish(present, present.hash) end

local answer = { hash, 'created', pack_record(record) }
local others = live_of(subject)
for i = #others, math.max(1, tonumber(ARGV[3])), -1 do
  finish(others[i], others[i].handle)
  answer[#answer + 1] = pack_record(others[i])
end
write(record)
enlist(index, handle, hash)
return answer
`);

/** A touch, and what a plain read left in doubt. KEYS: record. ARGV: prefix, now, hash, idleTimeoutMs or ''. Answers {hash} or {hash, record}. */
const resolve = always(`
local record = live(ARGV[3])
if not record then return { ARGV[3] } end
if ARGV[4] ~= '' and now - tonumber(record.seen) >= ${limits.touchIntervalMs} then
  record.seen = whole(now)
  record.idle = whole(math.min(now + tonumber(ARGV[4]), tonumber(record.exp)))
  -- The whole record, as this very call has read it: a touch cannot bring anything back.
  write(record)
end
return { ARGV[3], pack_record(record) }
`);

/** KEYS: record, successor's record. ARGV: prefix, now, hash, successor hash, authenticatedAtMs. Answers {its hash} or {its hash, record}. */
const rotate = always(`
local record = live(ARGV[3])
if not record or dead(ARGV[4]) or redis.call('EXISTS', KEYS[2]) == 1 then return { ARGV[4] } end
finish(record, record.hash)
record.hash = ARGV[4]
record.auth = ARGV[5]
write(record)
enlist(index_of(record.sub), record.handle, record.hash)
return { ARGV[4], pack_record(record) }
`);

/**
 * Follows judgeRefresh in session.refresh.ts, unless begun too late (session.lateness.ts).
 * KEYS: record. ARGV: prefix, now, hash, number shown, none or now or earlier (the proof), '' or idleTimeoutMs, '' or untilMs.
 * Answers {hash, this server's time} or {hash, this server's time, verdict, record} or {hash, this server's time, 'late'}.
 */
const refresh = always(`
local time = redis.call('TIME')
local at = whole(time[1] * 1000 + math.floor(time[2] / 1000))
if ARGV[7] ~= '' and tonumber(at) > tonumber(ARGV[7]) then return { ARGV[3], at, 'late' } end
local record = live(ARGV[3])
if not record then return { ARGV[3], at } end
local shown, newest = tonumber(ARGV[4]), tonumber(record.gen) or 0
local moved, proof = tonumber(record.genAt) or 0, ARGV[5]
if shown < newest then
  if now - math.abs(moved) >= ${limits.refreshGraceMs} then return { ARGV[3], at, 'reused', pack_record(record) } end
  if moved < 0 then return { ARGV[3], at, 'superseded', pack_record(record) } end
  if shown < newest - 1 then return { ARGV[3], at, 'reused', pack_record(record) } end
  if proof == 'none' then return { ARGV[3], at, 'repeated', pack_record(record) } end
end
record.gen = whole(math.max(shown, newest) + 1)
record.genAt = whole(proof == 'none' and now or -now)
if proof == 'now' then record.auth = whole(now) end
if ARGV[6] ~= '' and now - tonumber(record.seen) >= ${limits.touchIntervalMs} then
  record.seen = whole(now)
  record.idle = whole(math.min(now + tonumber(ARGV[6]), tonumber(record.exp)))
end
write(record)
return { ARGV[3], at, 'rotated', pack_record(record) }
`);

/** KEYS: index. ARGV: prefix, now, handle, subject, untilMs. Answers {handle} or {handle, record}. */
const revoke = always(`
local readable, index = pcall(index_of, ARGV[4])
local hash = readable and listed(index, ARGV[3])
local record = hash and live_or_newer(hash)
if record then finish(record, record.handle) end
bury(ARGV[3], tonumber(ARGV[5]))
-- Buried even where the index is of a layout that this build cannot read. The caller hears of it, and tells it again.
if not readable then fail_newer() end
-- Whatever the key holds: an end needs no readable record.
if hash then
  unlist(index, ARGV[3])
  redis.call('DEL', s_key(hash))
end
if not record then return { ARGV[3] } end
return { ARGV[3], pack_record(record) }
`);

/** KEYS: record. ARGV: prefix, now, hash, untilMs. Answers {hash}. */
const buryToken = always(`
local record = live_or_newer(ARGV[3])
if record then finish(record, record.hash) end
bury(ARGV[3], tonumber(ARGV[4]))
-- Whatever the key holds: an end needs no readable record.
redis.call('DEL', KEYS[1])
return { ARGV[3] }
`);

/** KEYS: index. ARGV: prefix, now, subject, epoch or '', epochLifetimeMs. Answers {subject, epoch}. */
const raiseEpoch = always(`
local index = index_of(ARGV[3])
raise(ARGV[3], tonumber(ARGV[4]) or math.max(index.epoch + 1, now), tonumber(ARGV[5]))
return { ARGV[3], whole(index.epoch) }
`);

/** KEYS: index. ARGV: prefix, now, subject. Answers {subject, record...}. */
const list = always(`
local answer = { ARGV[3] }
for _, record in ipairs(live_of(ARGV[3])) do answer[#answer + 1] = pack_record(record) end
return answer
`);

export const scripts = { create, resolve, rotate, refresh, revoke, buryToken, raiseEpoch, list };
export type ScriptName = keyof typeof scripts;
