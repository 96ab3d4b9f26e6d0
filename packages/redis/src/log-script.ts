import { Script } from './script.ts'

/**
 * What both scripts begin with. Arguments: the epoch, position and run that the caller knows, chance for new names.
 *
 * Before anything is assigned, the log that is stored is compared with what the caller knows of it. A log that lacks
 * something (flushed, rolled back, failed over with writes lost) is left for a new one, whose name sorts after all former
 * ones. `runs` says where the log stood when each run of a server began to keep it: who knows more of a run before knows
 * what was lost with it, however much was published since.
 */
const PRELUDE = `
local base = string.sub(KEYS[1], 1, -5)
local known = { epoch = ARGV[1], g = tonumber(ARGV[2]), run = ARGV[3] }
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'g', 'at', 'runs', 'minute')
local epoch, g, at, runs, minute = meta[1], tonumber(meta[2]), tonumber(meta[3]), meta[4], tonumber(meta[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local server = string.sub(string.match(redis.call('INFO', 'server'), 'run_id:(%w+)'), 1, 8)
local run = epoch and string.match(runs, '(%w+):%d+$') or server

local function base36(n)
  local digits = ''
  repeat
    local digit = n % 36
    digits = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. digits
    n = (n - digit) / 36
  until n == 0
  return digits
end

local moved = false
if string.sub(run, 1, 8) ~= server then
  -- A primary that is one again, after another one that lacked something, is named anew: what it said before may be lost.
  run = string.find(runs, server, 1, true) and server .. ARGV[4] or server
  -- More than a dozen of them: who has slept through more starts over.
  runs = string.match(string.sub(runs, -400), '%w+:.*') .. ' ' .. run .. ':' .. string.format('%d', g)
  moved = true
end

-- Up to where the log is the one that was known in a run.
local function survived(former)
  local limit = nil
  for name, from in string.gmatch(runs, '(%w+):(%d+)') do
    if limit then limit = math.min(limit, tonumber(from)) end
    if name == former then limit = g end
  end
  return limit or 0
end

local abandoned = ''
local lost = not epoch
if epoch and known.epoch ~= '' then
  if known.epoch > epoch then
    lost = true
  elseif known.epoch == epoch then
    lost = known.g > survived(known.run)
  end
end
if lost then
  abandoned = epoch or ''
  local stamp = now
  for _, former in ipairs({ known.epoch, epoch or '' }) do
    if former ~= '' then stamp = math.max(stamp, tonumber(string.sub(former, 1, 8), 36) + 1) end
  end
  epoch, g, at, runs, minute = base36(stamp) .. ARGV[4], 0, 0, run .. ':0', -1
  moved = true
end
-- A clock that was set back does not take expiries along.
at = math.max(at, now)

local function saveMeta()
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'g', g, 'at', at, 'runs', runs, 'minute', minute)
end

-- For how long a channel without news is remembered, whatever its retention.
local MEMORY = 3600000
local minutes = base .. epoch .. ':minutes'

-- The highest position of a channel that may have been forgotten by now.
local function forgotten()
  local found = redis.call('ZRANGEBYSCORE', minutes, '(' .. math.floor((at - MEMORY) / 60000), '+inf', 'LIMIT', 0, 1)
  return tonumber(found[1]) or g
end

local NUMBERS = {
  'last', 'origin', 'evicted', 'event', 'events', 'eventBytes', 'stateBytes', 'length', 'bytes', 'age', 'oldestAt'
}

local function open(name)
  local prefix = base .. epoch .. ':'
  local channel = {
    key = prefix .. 'channel:' .. name,
    log = prefix .. 'log:' .. name,
    states = prefix .. 'states:' .. name,
    order = prefix .. 'order:' .. name,
  }
  local fields = redis.call('HMGET', channel.key, 'end', unpack(NUMBERS))
  channel.last_word = fields[1]
  channel.exists = fields[2] ~= false
  for i, field in ipairs(NUMBERS) do channel[field] = tonumber(fields[i + 1]) or 0 end
  if not channel.exists then
    channel.origin = forgotten()
    channel.evicted = channel.origin
  elseif channel.events > 0 and redis.call('EXISTS', channel.log) == 0 then
    channel.evicted = math.max(channel.evicted, channel.event)
    channel.events, channel.eventBytes = 0, 0
  end
  return channel
end

-- Drops the oldest event. When the next one was published is kept beside the log, since most calls drop nothing.
local function drop(channel)
  local found = redis.call('XRANGE', channel.log, '-', '+', 'COUNT', 2)
  local event, following = found[1], found[2]
  local position = tonumber(string.match(event[1], '^%d+'))
  redis.call('XDEL', channel.log, event[1])
  channel.events = channel.events - 1
  channel.eventBytes = channel.eventBytes - event[2][4]
  channel.evicted = math.max(channel.evicted, position)
  channel.oldestAt = following and tonumber(following[2][2]) or 0
end

-- Drops what is older than the channel's age.
local function expire(channel)
  local changed = false
  while channel.events > 0 and channel.oldestAt < at - channel.age do
    drop(channel)
    changed = true
  end
  return changed
end

local function save(channel)
  local fields = {}
  for _, field in ipairs(NUMBERS) do
    fields[#fields + 1] = field
    fields[#fields + 1] = channel[field]
  end
  if channel.last_word then
    fields[#fields + 1] = 'end'
    fields[#fields + 1] = channel.last_word
  end
  redis.call('HSET', channel.key, unpack(fields))
end
`

/**
 * Appends messages, each with the next position, and tells whoever listens. Arguments after the prelude's: the
 * publisher, the number of this call, and for each message its channel, the bytes of its block without the id, what it
 * stands for, what it makes void, whether it is the last word, the retention and the message itself.
 *
 * A call that is repeated, since its reply was lost, gets the reply of the first time. Replies end with the name of the
 * log that this call has left for a new one, if it has.
 */
export const publishScript: Script = new Script(`#!lua
${PRELUDE}
local once = base .. 'once:' .. ARGV[5]
local former = redis.call('GET', once)
if former then
  local number, in_epoch, positions = string.match(former, '^(%S+) (%S+) (%S+)$')
  number = tonumber(number)
  -- A call that was given up, and was under way for so long that a later one has overtaken it, is nobody's.
  if number > tonumber(ARGV[6]) then return { epoch, run, at, g, '', abandoned } end
  if number == tonumber(ARGV[6]) and in_epoch == epoch then return { epoch, run, at, g, positions, abandoned } end
end

if minute ~= math.floor(at / 60000) then
  minute = math.floor(at / 60000)
  redis.call('ZADD', minutes, minute, g)
  redis.call('ZREMRANGEBYSCORE', minutes, '-inf', math.floor((at - MEMORY) / 60000))
  redis.call('PEXPIREAT', minutes, at + 2 * MEMORY)
end

local function supersede(channel, subject)
  local state = redis.call('HGET', channel.states, subject)
  if not state then return end
  channel.stateBytes = channel.stateBytes - tonumber(string.match(state, '^%d+ %d+ (%d+)'))
  redis.call('HDEL', channel.states, subject)
  redis.call('ZREM', channel.order, subject)
end

local function dropOldestState(channel)
  for _, subject in ipairs(redis.call('ZRANGE', channel.order, 0, 1)) do
    local position = tonumber(redis.call('ZSCORE', channel.order, subject))
    if position ~= g then
      supersede(channel, subject)
      channel.evicted = math.max(channel.evicted, position)
      return true
    end
  end
  return false
end

-- The same as History of @sse/express does with its copy: the newest stays, whatever the retention.
local function trim(channel, is_event)
  while channel.events > math.max(1, channel.length) do drop(channel) end
  while channel.eventBytes + channel.stateBytes > channel.bytes do
    if channel.events > (is_event and 1 or 0) then
      drop(channel)
    elseif not dropOldestState(channel) then
      break
    end
  end
  expire(channel)
end

-- Positions are taken before anything is written: Redis may break off in the midst, as it does while a cluster moves keys,
-- and none may be given twice.
local start, taken = g, g + (#ARGV - 6) / 9
g = taken
saveMeta()
g = start

local positions = {}
for i = 7, #ARGV, 9 do
  local name, body, subject, void, ends = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local message = ARGV[i + 8]
  local channel = open(name)
  if channel.last_word then
    positions[#positions + 1] = 0
  else
    if not channel.exists then redis.call('UNLINK', channel.log, channel.states, channel.order) end
    channel.length, channel.bytes, channel.age = tonumber(ARGV[i + 5]), tonumber(ARGV[i + 6]), tonumber(ARGV[i + 7])
    g = g + 1
    local size = 6 + #epoch + body + 1
    local rest = g
    while rest >= 36 do
      rest = rest / 36
      size = size + 1
    end
    local replaced = subject ~= '' and subject or void
    if replaced ~= '' then supersede(channel, replaced) end
    if ends == '1' then
      channel.last_word = g .. ' ' .. at .. ' ' .. message
    elseif subject ~= '' then
      redis.call('HSET', channel.states, subject, g .. ' ' .. at .. ' ' .. size .. ' ' .. message)
      redis.call('ZADD', channel.order, g, subject)
      channel.stateBytes = channel.stateBytes + size
    else
      redis.call('XADD', channel.log, g .. '-0', 'at', at, 'size', size, 'message', message)
      if channel.events == 0 then channel.oldestAt = at end
      channel.events, channel.eventBytes, channel.event = channel.events + 1, channel.eventBytes + size, g
    end
    local previous = channel.last
    channel.last = g
    trim(channel, ends ~= '1' and subject == '')
    save(channel)
    local keys = channel.stateBytes > 0 and { channel.key, channel.states, channel.order } or { channel.key }
    if channel.stateBytes > 0 and not channel.last_word then
      for _, key in ipairs(keys) do redis.call('PERSIST', key) end
    else
      for _, key in ipairs(keys) do redis.call('PEXPIREAT', key, at + math.max(MEMORY, channel.age) + 1000) end
    end
    if channel.events > 0 then redis.call('PEXPIREAT', channel.log, at + channel.age + 1000) end
    local head = table.concat({ epoch, run, g, previous, at, ARGV[i + 5], ARGV[i + 6], ARGV[i + 7] }, ' ')
    redis.call('PUBLISH', base .. 'channel:' .. name, head .. '\\n' .. message)
    positions[#positions + 1] = g
  end
end
if g ~= taken then saveMeta() end
positions = table.concat(positions, ',')
redis.call('SET', once, ARGV[6] .. ' ' .. epoch .. ' ' .. positions, 'PX', 600000)
return { epoch, run, at, g, positions, abandoned }
`)

/**
 * Reads channels and where the log stands. Arguments after the prelude's: the topic on which the position is told as
 * well, or none, and for each channel its name and the position beyond which it is wanted, -1 for all of it. What has
 * dropped entries beyond that position comes whole.
 */
export const readScript: Script = new Script(`#!lua flags=allow-oom
${PRELUDE}
if moved then saveMeta() end
local channels = {}
for i = 6, #ARGV, 2 do
  local channel, after = open(ARGV[i]), tonumber(ARGV[i + 1])
  if channel.exists and expire(channel) then save(channel) end
  local whole = after < 0 or channel.evicted > after
  if whole then after = 0 end
  local events, states = {}, {}
  if channel.last > after then
    for _, event in ipairs(redis.call('XRANGE', channel.log, '(' .. after .. '-0', '+')) do
      events[#events + 1] = tonumber(string.match(event[1], '^%d+'))
      events[#events + 1] = tonumber(event[2][2])
      events[#events + 1] = event[2][6]
    end
    for _, subject in ipairs(redis.call('ZRANGEBYSCORE', channel.order, '(' .. after, '+inf')) do
      states[#states + 1] = redis.call('HGET', channel.states, subject)
    end
  end
  channels[#channels + 1] = {
    whole and 1 or 0, channel.last, channel.origin, channel.evicted, channel.age, channel.last_word or '', events, states
  }
end
if ARGV[5] ~= '' then redis.call('PUBLISH', base .. ARGV[5], epoch .. ' ' .. run .. ' ' .. g) end
return { epoch, run, at, g, channels, abandoned }
`)

/**
 * Removes some of what is left of an abandoned log. Arguments: its epoch, and where to go on.
 *
 * @returns where to go on, `'0'` at the end
 */
export const sweepScript: Script = new Script(`#!lua flags=allow-oom
local base = string.sub(KEYS[1], 1, -5)
local literally = string.gsub(base .. ARGV[1] .. ':', '[%[%]*?\\\\]', '\\\\%0')
local found = redis.call('SCAN', ARGV[2], 'MATCH', literally .. '*', 'COUNT', 500)
for _, key in ipairs(found[2]) do redis.call('UNLINK', key) end
return found[1]
`)
