-- Hold a lane back. Each pause that follows a failed probe doubles the time; many that come together
-- (all requests in flight fail alike) are one.
-- KEYS[1]  hash: the lane's state
-- ARGV[1]  reason, "class:detail"   ARGV[2]  milliseconds, -1 = until resumed
-- ARGV[3]  most milliseconds   ARGV[4]  1 = an operator's: goes before whatever is there
-- returns  {milliseconds from now (-1 = until resumed), strikes, 1 if this call changed anything}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wanted, forced = tonumber(ARGV[2]), ARGV[4] == '1'
local state = redis.call('HMGET', KEYS[1], 'until', 'strikes', 'reason', 'set')
local till, strikes = tonumber(state[1] or 0), tonumber(state[2] or 0)
-- Set by a clock that was set back since (lane_gate.lua).
if till > 0 then till = till - math.max(0, (tonumber(state[4] or 0) or 0) - now) end
if not forced then
  if till < 0 and wanted >= 0 then return {-1, strikes, 0} end
  if till > now and wanted >= 0 then return {till - now, strikes, 0} end
end
-- Another class of fault is another story: its pauses begin short again.
local class = string.match(ARGV[1], '^[^:]*')
if forced or string.match(state[3] or '', '^[^:]*') ~= class then strikes = 0 end
strikes = strikes + 1
local wait = wanted
if wanted >= 0 then
  wait = math.floor(math.min(tonumber(ARGV[3]), wanted * 2 ^ math.min(strikes - 1, 30)))
  till = now + wait
else
  till = -1
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'reason', ARGV[1],
  'strikes', strikes, 'probe', 0, 'set', string.format('%.0f', now))
redis.call('HSETNX', KEYS[1], 'since', string.format('%.0f', now))
return {wait, strikes, 1}
