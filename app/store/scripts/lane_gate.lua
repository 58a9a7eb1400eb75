-- May this lane send? Redis's clock decides, so workers need no common one.
-- KEYS[1]  hash: why it is paused; absent = it is not   KEYS[2]  hash: connect's hold; the same
-- KEYS[3]  the lane's hash (lane_lease.lua)   KEYS[4]  batch number counter
-- ARGV[1]  milliseconds for which a probe is reserved; 0 = only look, reserve nothing
-- ARGV[2]  who asks
-- returns  {word, milliseconds, reason, strikes, milliseconds for which it has been held back,
--          milliseconds that connect still holds it for: -1 = without an end, 0 = it does not}
--          word "open" | "paused" (for that many ms; -1 = until resumed) | "probe" (yours: send
--          one request, then resume or pause) | "probing" (another's, for that many ms at most)
-- Two things hold a lane back, and neither ends the other. Of both the one that lasts longer is told.
-- include lane_mark
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local hold, why, held = 0, '', 0
local kept = redis.call('HMGET', KEYS[2], 'until', 'why', 'since', 'set')
if kept[1] then
  local till = tonumber(kept[1])
  -- The clock was set back since this was written: it ends as much earlier.
  local back = (tonumber(kept[4] or 0) or 0) - now
  if back > 0 and till > 0 then
    till = till - back
    redis.call('HSET', KEYS[2], 'until', string.format('%.0f', till), 'set', string.format('%.0f', now))
  end
  if till >= 0 and till <= now then
    redis.call('DEL', KEYS[2])
    mark_backlog(KEYS[1], KEYS[3], KEYS[4])
  else
    hold, why = till < 0 and -1 or till - now, kept[2]
    held = math.max(0, now - tonumber(kept[3] or now))
  end
end

local state = redis.call('HMGET', KEYS[1], 'until', 'probe', 'reason', 'strikes', 'prober', 'since', 'set')
if not state[1] then
  if hold == 0 then return {'open', 0, '', 0, 0, 0} end
  return {'paused', hold, why, 0, held, hold}
end
local till, probe, strikes = tonumber(state[1]), tonumber(state[2] or 0), tonumber(state[4] or 0)
held = math.max(held, now - tonumber(state[6] or now))
-- As above.
local back = (tonumber(state[7] or 0) or 0) - now
if back > 0 then
  if till > 0 then till = till - back end
  probe = math.max(0, probe - back)
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'probe', string.format('%.0f', probe),
    'set', string.format('%.0f', now))
end
if till < 0 then return {'paused', -1, state[3], strikes, held, hold} end
if hold < 0 or now + hold > till and hold > 0 then return {'paused', hold, why, strikes, held, hold} end
if till > now then return {'paused', till - now, state[3], strikes, held, hold} end
if probe > now and state[5] ~= ARGV[2] then
  return {'probing', probe - now, state[3], strikes, held, 0}
end
if tonumber(ARGV[1]) > 0 then
  redis.call('HSET', KEYS[1], 'probe', now + ARGV[1], 'prober', ARGV[2], 'set', string.format('%.0f', now))
end
return {'probe', 0, state[3], strikes, held, 0}
