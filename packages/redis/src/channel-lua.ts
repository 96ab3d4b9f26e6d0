/**
 * How the scripts keep a channel: its figures in one text, its events in a stream, its states in a hash with their order
 * beside it. Events that were published together are one entry of the stream, as they came, since whatever a script does
 * with each of them holds up all of Redis. Hence an entry may hold events that are dropped already: those up to `evicted`.
 */
export const CHANNEL: string = `
local FIGURES = { 'last', 'origin', 'evicted', 'event', 'events', 'eventBytes', 'stateBytes', 'age', 'oldestAt' }

local function open(name)
  local prefix = base .. epoch .. ':'
  local channel = {
    key = prefix .. 'channel:' .. name,
    log = prefix .. 'log:' .. name,
    states = prefix .. 'states:' .. name,
    order = prefix .. 'order:' .. name,
    -- The oldest events, as far as they were looked at.
    oldest = {}, first = 1, seen = '-', looks = 1,
  }
  local fields = redis.call('HMGET', channel.key, 'figures', 'end')
  channel.exists = fields[1] ~= false
  channel.last_word = fields[2]
  local figures = string.gmatch(fields[1] or '', '%d+')
  for _, name in ipairs(FIGURES) do channel[name] = tonumber(figures() or 0) end
  if not channel.exists then
    channel.origin = forgotten()
    channel.evicted = channel.origin
  elseif channel.events > 0 and redis.call('EXISTS', channel.log) == 0 then
    channel.evicted = math.max(channel.evicted, channel.event)
    channel.events, channel.eventBytes = 0, 0
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

-- The oldest event, of which more are looked at each time: most calls drop one or none.
local function oldest(channel)
  local event = channel.oldest[channel.first]
  if event then return event end
  channel.oldest, channel.first = {}, 1
  for _, entry in ipairs(redis.call('XRANGE', channel.log, channel.seen, '+', 'COUNT', channel.looks)) do
    channel.seen = '(' .. entry[1]
    local last, since = string.match(entry[1], '(%d+)-(%d+)')
    local position, time = last - since, tonumber(entry[2][2])
    for body in string.gmatch(entry[2][4], '%d+') do
      if position > channel.evicted then
        channel.oldest[#channel.oldest + 1] = { g = position, at = time, size = sizeOf(position, body) }
      end
      position = position + 1
    end
  end
  channel.looks = math.min(channel.looks * 4, 16)
  return channel.oldest[1]
end

local function drop(channel)
  local event = oldest(channel)
  channel.dropped = true
  if not event then
    -- Somebody else has deleted them.
    channel.evicted, channel.events, channel.eventBytes = math.max(channel.evicted, channel.event), 0, 0
    return
  end
  channel.first = channel.first + 1
  channel.events = channel.events - 1
  channel.eventBytes = channel.eventBytes - event.size
  channel.evicted = math.max(channel.evicted, event.g)
  -- The next one is no older; how much younger it is shows when it matters.
  channel.oldestAt = event.at
end

-- Drops what is older than the channel's age.
local function expire(channel)
  local limit = at - channel.age
  while channel.events > 0 and channel.oldestAt < limit do
    local event = oldest(channel)
    if event and event.at >= limit then
      channel.oldestAt = event.at
    else
      drop(channel)
    end
  end
end

local function save(channel)
  if channel.dropped then
    redis.call('XTRIM', channel.log, 'MINID', string.format('%d', channel.evicted + 1))
  end
  local figures = {}
  for i, name in ipairs(FIGURES) do figures[i] = string.format('%d', channel[name]) end
  figures = table.concat(figures, ' ')
  if channel.last_word then
    redis.call('HSET', channel.key, 'figures', figures, 'end', channel.last_word)
  else
    redis.call('HSET', channel.key, 'figures', figures)
  end
end
`
