import { CHANNEL } from './channel-lua.ts'
import { LOG } from './log-lua.ts'
import { Script } from './script.ts'

/**
 * Reads channels and the position of the log. Arguments after the prelude's: a topic on which to publish the position as
 * well, or an empty string, and for each channel its name and the position after which it is wanted, -1 for all of it. A
 * channel that has dropped entries after that position is returned whole. Events are returned as they are stored, including
 * some that were dropped or are not wanted. The last value says at which positions the runs of a primary began.
 */
export const readScript: Script = new Script(`#!lua flags=allow-oom
${LOG}
${CHANNEL}
if unsaved then saveMeta() end
local channels = {}
for i = 5, #ARGV, 2 do
  local channel, after = open(ARGV[i]), tonumber(ARGV[i + 1])
  if channel.exists then expire(channel) end
  if channel.dropped then save(channel) end
  local whole = after < 0 or channel.evicted > after
  if whole then after = 0 end
  local events, states = {}, {}
  if channel.last > after then
    for _, entry in ipairs(redis.call('XRANGE', channel.log, string.format('%d', after + 1), '+')) do
      events[#events + 1] = entry[1]
      for _, field in ipairs({ 2, 8, 10 }) do events[#events + 1] = entry[2][field] end
    end
    for _, subject in ipairs(redis.call('ZRANGEBYSCORE', channel.order, '(' .. after, '+inf')) do
      states[#states + 1] = redis.call('HGET', channel.states, subject)
    end
  end
  channels[#channels + 1] = {
    whole and 1 or 0, channel.last, channel.origin, channel.evicted, channel.age, channel.last_word or '', events, states
  }
end
if ARGV[4] ~= '' then redis.call('PUBLISH', base .. ARGV[4], epoch .. ' ' .. run .. ' ' .. g) end
return { epoch, run, at, g, channels, abandoned, runs }
`)

/**
 * Removes some keys of an abandoned log, and finally its entry in `leftovers`. Arguments: its epoch, and a `SCAN` cursor.
 *
 * @returns the next cursor, `'0'` at the end
 */
export const sweepScript: Script = new Script(`#!lua flags=allow-oom
local base = string.sub(KEYS[1], 1, -5)
local literally = string.gsub(base .. ARGV[1] .. ':', '[%[%]*?\\\\]', '\\\\%0')
local found = redis.call('SCAN', ARGV[2], 'MATCH', literally .. '*', 'COUNT', 500)
for _, key in ipairs(found[2]) do redis.call('UNLINK', key) end
if found[1] == '0' then
  local leftovers = string.gsub(redis.call('HGET', KEYS[1], 'leftovers') or '', ARGV[1] .. ' ', '')
  if leftovers == '' then redis.call('HDEL', KEYS[1], 'leftovers', 'sweep')
  else redis.call('HSET', KEYS[1], 'leftovers', leftovers, 'sweep', 0) end
end
return found[1]
`)
