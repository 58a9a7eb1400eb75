-- Takes dead letters away for good, and books them as discarded.
-- KEYS  1 prefix of dead letters   2 ledger row of their hour
-- ARGV  dead letter numbers
-- Returns how many were still there.
-- include dead_remove
local found = #dead_remove(KEYS[1], ARGV)
if found > 0 then
  redis.call('HINCRBY', KEYS[2], 'dead', -found)
  redis.call('HINCRBY', KEYS[2], 'discarded', found)
end
return found
