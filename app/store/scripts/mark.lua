-- Remembers which events of a held batch Platform has taken, should it have to be worked on again.
-- KEYS  1 held   2 done key of the batch
-- ARGV  1 owner   2 batch id   3.. positions
-- Returns 1, or 0 when the owner no longer holds it: a failover may have given its id to others.
local owner = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^(%S+) ')
if owner ~= ARGV[1] then return 0 end
redis.call('SADD', KEYS[2], unpack(ARGV, 3))
return 1
