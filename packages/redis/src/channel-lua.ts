/**
 * How the scripts store a channel: its figures in one string, its events in a stream, its states in a hash with their order
 * in a sorted set. Events that were published together are one entry of the stream, as they came, since a script blocks all
 * of Redis while it handles each of them. So an entry may contain events that were dropped already: those up to `evicted`.
 */
export const CHANNEL: string = `
local FIGURES = { 'last', 'origin', 'evicted', 'event', 'events', 'eventBytes', 'stateBytes', 'age', 'oldestAt' }

local function open(name)
  local prefix = base .. epoch .. ':'
  local channel = {
    topic = base .. 'channel:' .. name,
    key = prefix .. 'channel:' .. name,
    log = prefix .. 'log:' .. name,
    states = prefix .. 'states:' .. name,
    order = prefix .. 'order:' .. name,
    -- The oldest entries of the stream, as far as they were read.
    entries = {}, first = 1, seen = '-', looks = 1,
  }
  local fields = redis.call('HMGET', channel.key, 'figures', 'end')
  channel.exists = fields[1] ~= false
  channel.last_word = fields[2]
  local figures = string.gmatch(fields[1] or '', '%d+')
  for _, name in ipairs(FIGURES) do channel[name] = tonumber(figures() or 0) end
  -- If a cluster is moving the hub's slot, a missing key may be on the other node already: Redis then refuses a command
  -- that names it together with a key that is still here.
  if not channel.exists then
    redis.call('EXISTS', KEYS[1], channel.key)
    channel.origin = forgotten()
    channel.evicted = channel.origin
  elseif channel.events > 0 and redis.call('EXISTS', KEYS[1], channel.log) < 2 then
    channel.evicted = math.max(channel.evicted, channel.event)
    channel.events, channel.eventBytes = 0, 0
  end
  if channel.stateBytes > 0 and redis.call('EXISTS', KEYS[1], channel.states, channel.order) < 3 then
    -- Deleted from outside: which states there were, and since when, is not known any more.
    redis.call('UNLINK', channel.states, channel.order)
    channel.evicted, channel.dropped = math.max(channel.evicted, channel.last), true
    channel.events, channel.eventBytes, channel.stateBytes = 0, 0, 0
  end
  return channel
end

local digits, ceiling = 1, 36
-- The bytes of a block with its id.
local function sizeOf(position, body)
  if position * 36 < ceiling then digits, ceiling = 1, 36 end
  while position >= ceiling do digits, ceiling = digits + 1, ceiling * 36 end
  return 6 + #epoch + digits + body
end

-- The part of an entry that is left: its first position, and its bytes.
local function entryOf(channel, id, fields)
  local last, since = string.match(id, '(%d+)-(%d+)')
  local entry = {
    at = tonumber(fields[2]), bytes = tonumber(fields[4]), bodies = fields[6],
    start = last - since, first = last - since, last = tonumber(last),
  }
  if entry.first > channel.evicted then return entry end
  local position = entry.start
  for body in string.gmatch(entry.bodies, '%d+') do
    if position <= channel.evicted then entry.bytes = entry.bytes - sizeOf(position, body) end
    position = position + 1
  end
  entry.first = channel.evicted + 1
  return entry
end

-- The entry with the oldest event. More are looked at each time: most calls drop one event or none.
local function oldest(channel)
  if not channel.entries[channel.first] then
    channel.entries, channel.first = {}, 1
    for i, found in ipairs(redis.call('XRANGE', channel.log, channel.seen, '+', 'COUNT', channel.looks)) do
      channel.entries[i] = entryOf(channel, found[1], found[2])
      channel.seen = '(' .. found[1]
    end
    channel.looks = math.min(channel.looks * 4, 16)
  end
  return channel.entries[channel.first]
end

local function dropEntry(channel, entry)
  channel.events = channel.events - (entry.last - entry.first + 1)
  channel.eventBytes = channel.eventBytes - entry.bytes
  channel.evicted = math.max(channel.evicted, entry.last)
  channel.first = channel.first + 1
end

local function dropSome(channel, entry, exceeds)
  local position = entry.start
  for body in string.gmatch(entry.bodies, '%d+') do
    if position >= entry.first then
      if not exceeds(channel.events, channel.eventBytes) then return end
      local size = sizeOf(position, body)
      channel.events, channel.eventBytes = channel.events - 1, channel.eventBytes - size
      channel.evicted = math.max(channel.evicted, position)
      entry.first, entry.bytes = position + 1, entry.bytes - size
    end
    position = position + 1
  end
  channel.first = channel.first + 1
end

-- Drops the oldest events while there are too many.
local function drop(channel, exceeds)
  while exceeds(channel.events, channel.eventBytes) do
    channel.dropped = true
    local entry = oldest(channel)
    if not entry then
      -- They were deleted from outside.
      channel.evicted, channel.events, channel.eventBytes = math.max(channel.evicted, channel.event), 0, 0
      return
    end
    -- Until it is looked at, the next one counts as just as old.
    channel.oldestAt = entry.at
    local events, bytes = channel.events - (entry.last - entry.first), channel.eventBytes - entry.bytes + 1
    -- If there are too many even with only the last event of this entry, the whole entry goes.
    if exceeds(events, bytes) then
      dropEntry(channel, entry)
    else
      dropSome(channel, entry, exceeds)
    end
  end
end

-- Drops what is older than the channel's age.
local function expire(channel)
  local limit = at - channel.age
  drop(channel, function(events) return events > 0 and channel.oldestAt < limit end)
end

local function save(channel)
  if channel.dropped then
    redis.call('XTRIM', channel.log, 'MINID', string.format('%d', channel.evicted + 1))
  end
  local figures = {}
  for i, name in ipairs(FIGURES) do figures[i] = channel[name] end
  figures = string.format('%d %d %d %d %d %d %d %d %d', unpack(figures))
  if channel.last_word then
    redis.call('HSET', channel.key, 'figures', figures, 'end', channel.last_word)
  else
    redis.call('HSET', channel.key, 'figures', figures)
  end
end
`
