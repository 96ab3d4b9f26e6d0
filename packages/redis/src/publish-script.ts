import { CHANNEL } from './channel-lua.ts'
import { LOG } from './log-lua.ts'
import { Script } from './script.ts'
import { SKIPPED } from './skipped.ts'

/**
 * Appends messages, each with the next position, and publishes them to subscribers. Arguments after the prelude's: the
 * publisher, the number of this call, and runs of consecutive messages of one channel. A run is its channel, retention, kind,
 * subject, number of messages (one, unless they are events), the bytes of their blocks without ids, in total and each, the
 * length of each message in UTF-16 code units, and the messages.
 *
 * Each run is published as one note, in the order of their positions, so that whoever hears a position has heard all before.
 *
 * A call that is repeated because its reply was lost gets the first reply again: the first position of each run, or 0 if the
 * channel had ended. The last value is the name of an abandoned log that the caller must sweep, if there is one.
 */
export const publishScript: Script = new Script(`#!lua
${LOG}
${CHANNEL}
local once = base .. 'once:' .. ARGV[4]
-- Together with a key that is here, for the same reason as in "open".
local former = redis.call('MGET', once, KEYS[1])[1]
if former then
  -- The caller learns of this run from the reply, so the log must know it too.
  if unsaved then saveMeta() end
  local number, in_epoch, positions = string.match(former, '^(%S+) (%S+) (%S+)$')
  number = tonumber(number)
  -- A call that has timed out, and was overtaken by a later one: nobody waits for its reply.
  if number > tonumber(ARGV[5]) then return { epoch, run, at, g, '', abandoned } end
  if number == tonumber(ARGV[5]) and in_epoch == epoch then return { epoch, run, at, g, positions, abandoned } end
end

if minute ~= math.floor(at / 60000) then
  minute = math.floor(at / 60000)
  redis.call('EXISTS', KEYS[1], minutes)
  redis.call('ZADD', minutes, minute, g)
  redis.call('ZREMRANGEBYSCORE', minutes, '-inf', math.floor((at - MEMORY) / 60000))
  redis.call('PEXPIREAT', minutes, at + 2 * MEMORY)
end

-- The former run of a primary may have assigned more positions than are stored here, which only readers know now. They are
-- skipped, so that new ones lie after every cursor.
if g == tonumber(string.match(runs, ' %w+:(%d+)$')) then g = g + ${SKIPPED} end

local function forget(channel, subject)
  local state = redis.call('HGET', channel.states, subject)
  if state then channel.stateBytes = channel.stateBytes - tonumber(string.match(state, '^%d+ %d+ (%d+)')) end
end

local function supersede(channel, subject)
  forget(channel, subject)
  redis.call('HDEL', channel.states, subject)
  redis.call('ZREM', channel.order, subject)
end

local function dropOldestState(channel)
  local subject, position = unpack(redis.call('ZRANGE', channel.order, 0, 0, 'WITHSCORES'))
  -- The newest stays.
  if not subject or tonumber(position) == g then return false end
  supersede(channel, subject)
  channel.evicted = math.max(channel.evicted, tonumber(position))
  return true
end

-- The same as History of @sse/express does with its copy: the newest stays, whatever the retention.
local function trim(channel, is_event)
  local length, least = math.max(1, channel.length), is_event and 1 or 0
  local bytes = channel.bytes - channel.stateBytes
  drop(channel, function(events, eventBytes)
    return events > length or (eventBytes > bytes and events > least)
  end)
  while channel.eventBytes + channel.stateBytes > channel.bytes and dropOldestState(channel) do end
  expire(channel)
end

local time, heading = string.format('%d', at), string.format('%s %s %d ', epoch, run, at)

local function appendEvents(channel, count, total, bodies, lengths, messages)
  local first, size = g + 1, 0
  g = g + count
  if sizeOf(first, 0) == sizeOf(g, 0) then
    size = total + count * sizeOf(g, 0)
  else
    local position = first
    for body in string.gmatch(bodies, '%d+') do
      size = size + sizeOf(position, body)
      position = position + 1
    end
  end
  redis.call(
    'XADD', channel.log, string.format('%d-%d', g, count - 1),
    'at', time, 'bytes', string.format('%d', size), 'bodies', bodies, 'lengths', lengths, 'messages', messages
  )
  channel.event = g
  if channel.events == 0 then channel.oldestAt = at end
  if channel.stateBytes == 0 or channel.eventBytes + size + channel.stateBytes <= channel.bytes then
    channel.events, channel.eventBytes = channel.events + count, channel.eventBytes + size
    trim(channel, true)
    return
  end
  -- One by one: each may drop states, which leaves more room for the next.
  for body in string.gmatch(bodies, '%d+') do
    channel.events, channel.eventBytes = channel.events + 1, channel.eventBytes + sizeOf(first, body)
    first = first + 1
    trim(channel, true)
  end
end

local function appendState(channel, subject, body, message)
  g = g + 1
  local size = sizeOf(g, body)
  forget(channel, subject)
  redis.call('HSET', channel.states, subject, string.format('%d %d %d ', g, at, size) .. message)
  redis.call('ZADD', channel.order, g, subject)
  channel.stateBytes = channel.stateBytes + size
  trim(channel, false)
end

-- All channels are opened before anything is written: Redis may abort the script, as it does at keys that a cluster is
-- moving. The position is saved first: if Redis aborts later, none is assigned twice.
local channels, start, taken = {}, g, g
for i = 6, #ARGV, 9 do
  local name, count = ARGV[i], ARGV[i + 4]
  channels[name] = channels[name] or open(name)
  taken = taken + count
end
g = taken
saveMeta()
g = start

local positions = {}
for i = 6, #ARGV, 9 do
  local name, retention, kind, subject, count, total, bodies, lengths, messages = unpack(ARGV, i, i + 8)
  local channel = channels[name]
  if channel.last_word then
    positions[#positions + 1] = 0
  else
    if not channel.exists then redis.call('UNLINK', channel.log, channel.states, channel.order) end
    channel.exists, channel.changed = true, true
    if channel.retention ~= retention then
      local length, bytes, age = string.match(retention, '(%d+) (%d+) (%d+)')
      channel.retention, channel.length, channel.bytes, channel.age =
        retention, tonumber(length), tonumber(bytes), tonumber(age)
    end
    local previous, first = channel.last, g + 1
    if kind == 'end' then
      g = g + 1
      channel.last_word = string.format('%d %d ', g, at) .. messages
      trim(channel, false)
    elseif kind == 'state' then
      appendState(channel, subject, total, messages)
    else
      if kind == 'remove' then supersede(channel, subject) end
      appendEvents(channel, tonumber(count), total, bodies, lengths, messages)
    end
    channel.last = g
    local figures = string.format(' %d %d ', previous, first)
    redis.call('PUBLISH', channel.topic, heading .. retention .. figures .. lengths .. '\\n' .. messages)
    positions[#positions + 1] = first
  end
end

for _, channel in pairs(channels) do
  if channel.changed then
    save(channel)
    local memory = at + math.max(MEMORY, channel.age) + 1000
    if channel.stateBytes == 0 then
      redis.call('PEXPIREAT', channel.key, memory)
    elseif channel.last_word then
      for _, key in ipairs({ channel.key, channel.states, channel.order }) do redis.call('PEXPIREAT', key, memory) end
    else
      redis.call('PERSIST', channel.key)
    end
    if channel.events > 0 then redis.call('PEXPIREAT', channel.log, at + channel.age + 1000) end
  end
end
if g ~= taken then saveMeta() end
positions = table.concat(positions, ',')
redis.call('SET', once, ARGV[5] .. ' ' .. epoch .. ' ' .. positions, 'PX', 600000)
return { epoch, run, at, g, positions, abandoned }
`)
