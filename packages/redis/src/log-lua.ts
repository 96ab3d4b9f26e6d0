/** How long one sweep of an abandoned log may take, in milliseconds. */
export const SWEEP_TIME = 60_000

/**
 * The prelude of both scripts. Arguments: the epoch that the caller knows; the highest position that it has seen in each run
 * of a primary (`run:position`, separated by spaces); random digits for a new epoch's name.
 *
 * Before anything is assigned, the stored log is compared with what the caller knows. If the log lacks something (flushed,
 * rolled back, failed over with writes lost), it is abandoned for a new one, whose name sorts after all former ones. `runs`
 * has the position at which each run of a primary began: a caller that knows a higher position of the run before knows that
 * something was lost with it, however much was published since. A run is named by Redis's replication id, which changes with
 * every start and every promotion, even if a server becomes primary again that has lost something as a replica.
 */
export const LOG: string = `
local base = string.sub(KEYS[1], 1, -5)
local known = ARGV[1]
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'g', 'at', 'runs', 'minute', 'leftovers', 'sweep')
local epoch, g, at, runs, minute = meta[1], tonumber(meta[2]), tonumber(meta[3]), meta[4], tonumber(meta[5])
local leftovers, sweep = meta[6] or '', tonumber(meta[7] or 0)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)'), 1, 8)

local function base36(n)
  local digits = ''
  repeat
    local digit = n % 36
    digits = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. digits
    n = (n - digit) / 36
  until n == 0
  return digits
end

local unsaved = false
if epoch and string.match(runs, '(%w+):%d+$') ~= run then
  -- Keeps some twenty runs: a process that has missed more of them starts over.
  runs = string.match(string.sub(runs, -400), '%w+:.*') .. ' ' .. run .. ':' .. string.format('%d', g)
  unsaved = true
end

-- The position up to which the log still has what was seen in a former run.
local function survived(former)
  local limit = nil
  for name, from in string.gmatch(runs, '(%w+):(%d+)') do
    if limit then limit = math.min(limit, tonumber(from)) end
    if name == former then limit = g end
  end
  return limit or 0
end

local lost = not epoch
if epoch and known ~= '' then
  if known > epoch then
    lost = true
  elseif known == epoch then
    for name, seen in string.gmatch(ARGV[2], '(%w+):(%d+)') do
      lost = lost or tonumber(seen) > survived(name)
    end
  end
end
if lost then
  if epoch then leftovers, sweep = leftovers .. epoch .. ' ', 0 end
  local stamp = now
  for _, former in ipairs({ known, epoch or '' }) do
    if former ~= '' then stamp = math.max(stamp, tonumber(string.sub(former, 1, 8), 36) + 1) end
  end
  epoch, g, at, runs, minute = base36(stamp) .. ARGV[3], 0, 0, run .. ':0', -1
  unsaved = true
end
-- Never goes back, so that setting the clock back does not delay expiry.
at = math.max(at, now)

-- One caller is told to sweep an abandoned log, and another one if it is still there after a while.
local abandoned = ''
if leftovers ~= '' and at >= sweep then
  abandoned, sweep = string.match(leftovers, '%w+'), at + ${SWEEP_TIME}
  unsaved = true
end

local function saveMeta()
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'g', g, 'at', at, 'runs', runs, 'minute', minute)
  if abandoned ~= '' then redis.call('HSET', KEYS[1], 'leftovers', leftovers, 'sweep', sweep) end
end

-- For how long a channel without news is remembered, whatever its retention.
local MEMORY = 3600000
local minutes = base .. epoch .. ':minutes'

-- The highest position of a channel that may have been forgotten by now.
local function forgotten()
  local found = redis.call('ZRANGEBYSCORE', minutes, '(' .. math.floor((at - MEMORY) / 60000), '+inf', 'LIMIT', 0, 1)
  return tonumber(found[1]) or g
end
`
