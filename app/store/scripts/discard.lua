-- Takes dead letters away for good, and books them as discarded.
-- KEYS  1 dead payloads   2 dead summaries   3 dead index   4 ledger row of their hour
-- ARGV  dead letter numbers
-- Returns how many were still there.
local found = 0
for _, number in ipairs(ARGV) do
  found = found + redis.call('HDEL', KEYS[1], number)
  redis.call('HDEL', KEYS[2], number)
  redis.call('ZREM', KEYS[3], number)
end
if found > 0 then
  redis.call('HINCRBY', KEYS[4], 'dead', -found)
  redis.call('HINCRBY', KEYS[4], 'discarded', found)
end
return found
