-- Counts the take of a suspect, now that its work begins.
-- KEYS  1 held
-- ARGV  1 owner   2 batch id
-- Returns 1, or 0 when the owner no longer holds it.
local owner, till, takes = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^(%S+) (%d+) (%d+)$')
if owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], string.format('%s %s %d', owner, till, takes + 1))
return 1
