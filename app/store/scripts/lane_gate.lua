-- May this lane send? Redis's clock decides, so workers need no common one.
-- KEYS[1]  hash: the lane's state; absent = open
-- ARGV[1]  milliseconds for which a probe is reserved; 0 = only look, reserve nothing
-- ARGV[2]  who asks
-- returns  {word, milliseconds, reason, strikes, milliseconds for which it has been held back}
--          word "open" | "paused" (for that many ms; -1 = until resumed) | "probe" (yours: send
--          one request, then resume or pause) | "probing" (another's, for that many ms at most)
local state = redis.call('HMGET', KEYS[1], 'until', 'probe', 'reason', 'strikes', 'prober', 'since', 'set')
if not state[1] then return {'open', 0, '', 0, 0} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local till, probe, strikes = tonumber(state[1]), tonumber(state[2] or 0), tonumber(state[4] or 0)
local held = math.max(0, now - tonumber(state[6] or now))
-- The clock was set back since this was written: it ends as much earlier.
local back = (tonumber(state[7] or 0) or 0) - now
if back > 0 then
  if till > 0 then till = till - back end
  probe = math.max(0, probe - back)
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'probe', string.format('%.0f', probe),
    'set', string.format('%.0f', now))
end
if till < 0 then return {'paused', -1, state[3], strikes, held} end
if till > now then return {'paused', till - now, state[3], strikes, held} end
if probe > now and state[5] ~= ARGV[2] then
  return {'probing', probe - now, state[3], strikes, held}
end
if tonumber(ARGV[1]) > 0 then
  redis.call('HSET', KEYS[1], 'probe', now + ARGV[1], 'prober', ARGV[2], 'set', string.format('%.0f', now))
end
return {'probe', 0, state[3], strikes, held}
