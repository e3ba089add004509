/** The scripts of builds before decision 0037, as they were. Tests let such a build run beside this one. */
import { limits } from '../session.limits.ts';

/** Fields of a record: short names, since every record repeats them. Order: as sent and answered. */
export const recordFields = [
  'hash',
  'tag',
  'handle',
  'sub',
  'state',
  'mode',
  'ep',
  'gep',
  'crt',
  'auth',
  'seen',
  'idle',
  'exp',
  'dev',
  'cart',
  'region',
  'gen',
  'genAt',
  'amr',
] as const;

/** The building blocks of the operations. */
const preamble = `
local prefix = ARGV[1]
local now = tonumber(ARGV[2])
local fields = {${recordFields.map((field) => `'${field}'`).join(', ')}}

local function whole(number) return string.format('%d', number) end
local function s_key(hash) return prefix .. 's:' .. hash end
local function u_key(subject) return prefix .. 'u:' .. subject end
local function t_key(name) return prefix .. 't:' .. name end

-- "... and not tombstoned": the one place that asks.
local function dead(name) return redis.call('EXISTS', t_key(name)) == 1 end

-- Tombstones only grow: a later end is kept, never an earlier one (GT never shortens).
local function bury(name, until_ms)
  local ttl = until_ms - now
  if ttl <= 0 then return end
  if not redis.call('SET', t_key(name), '1', 'PX', whole(ttl), 'NX') then redis.call('PEXPIRE', t_key(name), whole(ttl), 'GT') end
end

local function read(hash)
  local values = redis.call('HMGET', s_key(hash), unpack(fields))
  if not values[1] then return nil end
  local record = {}
  for i, field in ipairs(fields) do record[field] = values[i] or '' end
  return record
end

local function values(record)
  local list = {}
  for i, field in ipairs(fields) do list[i] = record[field] end
  return list
end

local function epoch(subject) return tonumber(redis.call('HGET', u_key(subject), 'epoch') or '0') end

-- The one definition of a live session.
local function live(hash)
  local record = read(hash)
  if not record or record.hash ~= hash then return nil end
  if dead(hash) or dead(record.handle) then return nil end
  if tonumber(record.idle) <= now or tonumber(record.exp) <= now then return nil end
  local index = redis.call('HMGET', u_key(record.sub), 'epoch', record.handle)
  if tonumber(record.ep) < tonumber(index[1] or '0') then return nil end
  if index[2] ~= hash then return nil end
  return record
end

local function live_by_handle(subject, handle)
  local hash = redis.call('HGET', u_key(subject), handle)
  return hash and live(hash) or nil
end

-- Everything that is live of a subject; what is not leaves the index. At most sessionCountMax entries, so the loop is short.
local function live_of(subject)
  local index = redis.call('HGETALL', u_key(subject))
  local records = {}
  for i = 1, #index, 2 do
    local handle, hash = index[i], index[i + 1]
    if handle ~= 'epoch' then
      local record = live(hash)
      if record then
        records[#records + 1] = record
      else
        redis.call('HDEL', u_key(subject), handle)
        redis.call('DEL', s_key(hash))
      end
    end
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
  redis.call('HDEL', u_key(record.sub), record.handle)
  bury(name, tonumber(record.exp))
end

local function write(record)
  local pairs_ = {}
  for _, field in ipairs(fields) do
    -- Opaque sessions count nothing: their records stay as small as they were.
    if not ((field == 'gen' or field == 'genAt') and record[field] == '0') and not (field == 'amr' and record[field] == '') then
      pairs_[#pairs_ + 1] = field
      pairs_[#pairs_ + 1] = record[field]
    end
  end
  redis.call('HSET', s_key(record.hash), unpack(pairs_))
  redis.call('PEXPIRE', s_key(record.hash), whole(tonumber(record.idle) - now))
end

-- The index outlives every session in it and every epoch every session it killed. GT treats a key without a TTL as endless: set one first.
local function outlive(subject, ttl)
  redis.call('PEXPIRE', u_key(subject), whole(ttl), 'NX')
  redis.call('PEXPIRE', u_key(subject), whole(ttl), 'GT')
end

-- Epochs only rise. Sessions below it leave at once.
local function raise(subject, to, lifetime)
  local from = epoch(subject)
  if to > from or from == 0 then redis.call('HSET', u_key(subject), 'epoch', whole(math.max(to, from))) end
  outlive(subject, lifetime)
  if to > from then live_of(subject) end
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
table.insert(told, 1, server)
return told
`;

/**
 * KEYS: record. ARGV: prefix, now, sessionCountMax, epochLifetimeMs, '1' when the epoch is given, then the record's fields.
 * Answers {hash, 'tombstoned'} or {hash, 'created', record, ended...}.
 */
const create = adding(`
local record = {}
for i, field in ipairs(fields) do record[field] = ARGV[5 + i] end
local hash, handle, subject = record.hash, record.handle, record.sub
if dead(hash) or dead(handle) then return { hash, 'tombstoned' } end
local current = epoch(subject)
if ARGV[5] ~= '1' then record.ep = whole(current) end
if tonumber(record.ep) < current then return { hash, 'tombstoned' } end

local taken = redis.call('HGET', KEYS[1], 'handle')
if taken and taken ~= handle then return redis.error_reply('TAKEN two sessions of one token hash') end
raise(subject, tonumber(record.ep), tonumber(ARGV[4]))
outlive(subject, tonumber(record.exp) - now)

local present = live_by_handle(subject, handle)
if present and present.hash == hash then return { hash, 'created', values(present) } end
if present then finish(present, present.hash) end

local answer = { hash, 'created', values(record) }
local others = live_of(subject)
for i = #others, math.max(1, tonumber(ARGV[3])), -1 do
  finish(others[i], others[i].handle)
  answer[#answer + 1] = values(others[i])
end
write(record)
redis.call('HSET', u_key(subject), handle, hash)
return answer
`);

/** KEYS: record. ARGV: prefix, now, hash, idleTimeoutMs or ''. Answers {hash} or {hash, record}. */
const resolve = always(`
local record = live(ARGV[3])
if not record then return { ARGV[3] } end
if ARGV[4] ~= '' and now - tonumber(record.seen) >= ${limits.touchIntervalMs} then
  record.seen = whole(now)
  record.idle = whole(math.min(now + tonumber(ARGV[4]), tonumber(record.exp)))
  -- Two fields, not the record: a touch must not be able to bring anything else back.
  redis.call('HSET', KEYS[1], 'seen', record.seen, 'idle', record.idle)
  redis.call('PEXPIRE', KEYS[1], whole(tonumber(record.idle) - now))
end
return { ARGV[3], values(record) }
`);

/** KEYS: record, successor's record. ARGV: prefix, now, hash, successor hash, authenticatedAtMs. Answers {its hash} or {its hash, record}. */
const rotate = always(`
local record = live(ARGV[3])
if not record or dead(ARGV[4]) or redis.call('EXISTS', KEYS[2]) == 1 then return { ARGV[4] } end
finish(record, record.hash)
record.hash = ARGV[4]
record.auth = ARGV[5]
write(record)
redis.call('HSET', u_key(record.sub), record.handle, record.hash)
return { ARGV[4], values(record) }
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
  if now - math.abs(moved) >= ${limits.refreshGraceMs} then return { ARGV[3], at, 'reused', values(record) } end
  if moved < 0 then return { ARGV[3], at, 'superseded', values(record) } end
  if shown < newest - 1 then return { ARGV[3], at, 'reused', values(record) } end
  if proof == 'none' then return { ARGV[3], at, 'repeated', values(record) } end
end
record.gen = whole(math.max(shown, newest) + 1)
record.genAt = whole(proof == 'none' and now or -now)
if proof == 'now' then record.auth = whole(now) end
if ARGV[6] ~= '' and now - tonumber(record.seen) >= ${limits.touchIntervalMs} then
  record.seen = whole(now)
  record.idle = whole(math.min(now + tonumber(ARGV[6]), tonumber(record.exp)))
end
-- Not the record: this must not be able to bring anything else back.
redis.call('HSET', KEYS[1], 'gen', record.gen, 'genAt', record.genAt, 'auth', record.auth, 'seen', record.seen, 'idle', record.idle)
redis.call('PEXPIRE', KEYS[1], whole(tonumber(record.idle) - now))
return { ARGV[3], at, 'rotated', values(record) }
`);

/** KEYS: index. ARGV: prefix, now, handle, subject, untilMs. Answers {handle} or {handle, record}. */
const revoke = always(`
local record = live_by_handle(ARGV[4], ARGV[3])
if record then finish(record, record.handle) end
bury(ARGV[3], tonumber(ARGV[5]))
if not record then return { ARGV[3] } end
return { ARGV[3], values(record) }
`);

/** KEYS: record. ARGV: prefix, now, hash, untilMs. Answers {hash}. */
const buryToken = always(`
local record = live(ARGV[3])
if record then finish(record, record.hash) end
bury(ARGV[3], tonumber(ARGV[4]))
return { ARGV[3] }
`);

/** KEYS: index. ARGV: prefix, now, subject, epoch or '', epochLifetimeMs. Answers {subject, epoch}. */
const raiseEpoch = always(`
local to = tonumber(ARGV[4]) or math.max(epoch(ARGV[3]) + 1, now)
raise(ARGV[3], to, tonumber(ARGV[5]))
return { ARGV[3], whole(epoch(ARGV[3])) }
`);

/** KEYS: index. ARGV: prefix, now, subject. Answers {subject, record...}. */
const list = always(`
local answer = { ARGV[3] }
for _, record in ipairs(live_of(ARGV[3])) do answer[#answer + 1] = values(record) end
return answer
`);

export const scripts = { create, resolve, rotate, refresh, revoke, buryToken, raiseEpoch, list };
export type ScriptName = keyof typeof scripts;
