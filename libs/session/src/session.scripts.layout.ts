/**
 * How the scripts read and write what Redis keeps, in both layouts: one string (session.redis.record.ts), or the hashes of builds before decision
 * 0037. A key of either layout is read. ARGV says which one a new key gets. With 'packed' each write turns a hash into a string; with 'hash' a
 * string stays one. So builds that know both may run side by side, whatever each of them is told to write.
 *
 * A value that cannot be read is never a session. A damaged one counts as absent, and the answer says that there was one. One with the number of
 * a later layout is a newer build's. The script fails with LAYOUT and changes nothing, so the session stays for replicas that can read it.
 */
import { modeLetters, stateLetters } from './session.redis.record.ts';

/** Fields of a record in the hash layout. */
export const hashFields = [
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

const luaTable = (entries: Readonly<Record<string, string>>): string =>
  `{ ${Object.entries(entries)
    .map(([key, value]) => `['${key}'] = '${value}'`)
    .join(', ')} }`;
const swapped = (entries: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(entries).map(([key, value]) => [value, key]));

const records = `
local fields = {${hashFields.map((field) => `'${field}'`).join(', ')}}
local letters = ${luaTable({ ...stateLetters, ...modeLetters })}
local states = ${luaTable(swapped(stateLetters))}
local modes = ${luaTable(swapped(modeLetters))}

local function whole(number) return string.format('%d', number) end
local function is_whole(text) return #text <= 17 and string.find(text, '^%-?%d+$') ~= nil end

local function lines_of(text)
  local lines = {}
  for line in string.gmatch(text .. '\\n', '([^\\n]*)\\n') do lines[#lines + 1] = line end
  return lines
end

local function is_newer(text) return string.find(text, '^%d+\\n') ~= nil and string.sub(text, 1, 2) ~= '1\\n' end
local function fail_newer() error({ err = 'LAYOUT of a newer build' }) end

local function unpack_record(text)
  local l = lines_of(text)
  if l[1] ~= '1' or #l < 12 or #l > 18 then return nil end
  local or_zero = function(line) return (line == nil or line == '') and '0' or line end
  if l[9] == '' then l[9] = l[8] end
  l[16], l[17] = or_zero(l[16]), or_zero(l[17])
  for _, at in ipairs({ 6, 7, 8, 9, 10, 11, 12, 16, 17 }) do
    if not is_whole(l[at]) then return nil end
  end
  local state, mode = states[string.sub(l[5], 1, 1)], modes[string.sub(l[5], 2)]
  if not state or not mode or l[2] == '' or l[3] == '' or l[4] == '' then return nil end
  return {
    hash = l[2], tag = string.sub(prefix, 2, -3), handle = l[3], sub = l[4], state = state, mode = mode, ep = l[6], gep = l[7], crt = l[8],
    auth = l[9], seen = l[10], idle = whole(l[10] + l[11]), exp = whole(l[8] + l[12]), region = l[13] or '', dev = l[14] or '',
    cart = l[15] or '', gen = l[16], genAt = l[17], amr = l[18] or '',
  }
end

local function pack_record(r)
  local or_empty = function(number) return number == '0' and '' or number end
  local l = {
    '1', r.hash, r.handle, r.sub, letters[r.state] .. letters[r.mode], r.ep, r.gep, r.crt, r.auth == r.crt and '' or r.auth, r.seen,
    whole(r.idle - r.seen), whole(r.exp - r.crt), r.region, r.dev, r.cart, or_empty(r.gen), or_empty(r.genAt), r.amr,
  }
  local last = #l
  while l[last] == '' do last = last - 1 end
  return table.concat(l, '\\n', 1, last)
end

local function read_hash(hash)
  local values = redis.pcall('HMGET', s_key(hash), unpack(fields))
  if values.err or not values[1] then return nil end
  local record = {}
  for i, field in ipairs(fields) do record[field] = values[i] or '' end
  for _, field in ipairs({ 'gen', 'genAt' }) do
    if record[field] == '' then record[field] = '0' end
  end
  for _, field in ipairs({ 'ep', 'gep', 'crt', 'auth', 'seen', 'idle', 'exp', 'gen', 'genAt' }) do
    if not is_whole(record[field]) then return nil end
  end
  return letters[record.state] and letters[record.mode] and record or nil
end

-- The record of this hash, or nil and, where the key holds anything, the reason: 'damaged' or 'newer'.
local function read(hash)
  local text = redis.pcall('GET', s_key(hash))
  if not text then return nil end
  if type(text) == 'string' and is_newer(text) then return nil, 'newer' end
  local record = type(text) == 'string' and unpack_record(text) or type(text) == 'table' and read_hash(hash) or nil
  if record then return record end
  unreadable = 'damaged'
  return nil, 'damaged'
end

local function write(record)
  local key, ttl = s_key(record.hash), whole(record.idle - now)
  -- TYPE answers a table: this is how scripts see a status.
  if packs or redis.call('TYPE', key).ok == 'string' then return redis.call('SET', key, pack_record(record), 'PX', ttl) end
  local pairs_ = {}
  for _, field in ipairs(fields) do
    if not ((field == 'gen' or field == 'genAt') and record[field] == '0') and not (field == 'amr' and record[field] == '') then
      pairs_[#pairs_ + 1] = field
      pairs_[#pairs_ + 1] = record[field]
    end
  end
  redis.call('HSET', key, unpack(pairs_))
  redis.call('PEXPIRE', key, ttl)
end
`;

const indexes = `
local indexes = {}

-- A person's index is read once in a script, changed in memory, and written by save_indexes.
local function index_of(subject)
  if indexes[subject] then return indexes[subject] end
  local index = { key = u_key(subject), epoch = 0, list = {}, changes = {} }
  local text = redis.pcall('GET', index.key)
  if type(text) == 'string' then
    if is_newer(text) then fail_newer() end
    local l = lines_of(text)
    if l[1] == '1' and #l % 2 == 0 and is_whole(l[2]) then
      index.packed, index.epoch = true, tonumber(l[2])
      for i = 3, #l, 2 do index.list[#index.list + 1] = { handle = l[i], hash = l[i + 1] } end
    else
      index.foreign = true
    end
  elseif text then
    local all = redis.pcall('HGETALL', index.key)
    if all.err then index.foreign = true end
    for i = 1, #all, 2 do
      if all[i] == 'epoch' then
        index.epoch = tonumber(all[i + 1]) or 0
      else
        index.list[#index.list + 1] = { handle = all[i], hash = all[i + 1] }
      end
    end
  end
  if index.foreign then unreadable = 'damaged' end
  indexes[subject] = index
  return index
end

local function listed(index, handle)
  for _, entry in ipairs(index.list) do
    if entry.handle == handle then return entry.hash end
  end
end

local function unlist(index, handle)
  for i, entry in ipairs(index.list) do
    if entry.handle == handle then
      table.remove(index.list, i)
      index.changes[handle], index.changed = false, true
      return
    end
  end
end

local function enlist(index, handle, hash)
  unlist(index, handle)
  index.list[#index.list + 1] = { handle = handle, hash = hash }
  index.changes[handle], index.changed = hash, true
end

local function set_epoch(index, epoch)
  index.epoch, index.changed, index.raised = epoch, true, true
end

-- The index outlives every session in it and every epoch every session it killed.
local function outlive(index, ttl) index.ttl = math.max(index.ttl or 0, ttl) end

local function save_index(index)
  if index.changed and (packs or index.packed) then
    local l = { '1', whole(index.epoch) }
    for _, entry in ipairs(index.list) do
      l[#l + 1] = entry.handle
      l[#l + 1] = entry.hash
    end
    redis.call('SET', index.key, table.concat(l, '\\n'), 'KEEPTTL')
  elseif index.changed then
    if index.foreign then redis.call('DEL', index.key) end
    if index.raised then redis.call('HSET', index.key, 'epoch', whole(index.epoch)) end
    for handle, hash in pairs(index.changes) do
      if hash then redis.call('HSET', index.key, handle, hash) else redis.call('HDEL', index.key, handle) end
    end
  end
  if index.ttl then
    -- GT treats a key without a TTL as endless: set one first.
    redis.call('PEXPIRE', index.key, whole(index.ttl), 'NX')
    redis.call('PEXPIRE', index.key, whole(index.ttl), 'GT')
  end
end

local function save_indexes()
  for _, index in pairs(indexes) do save_index(index) end
end
`;

/** Needs `prefix`, `now`, `packs`, `unreadable`, `s_key` and `u_key`. */
export const layouts = records + indexes;
