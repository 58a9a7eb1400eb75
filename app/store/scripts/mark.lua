-- Remembers which events of a held batch Platform has taken, should it have to be worked on again,
-- and counts them in the edge's column. A mark that is written twice counts once.
-- KEYS  1 held   2 done key of the batch   3 edge hash of the connection
-- ARGV  1 owner   2 batch id   3.. positions
-- Returns 1, or 0 when the owner no longer holds it: a failover may have given its id to others.
local owner = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^(%S+) ')
if owner ~= ARGV[1] then return 0 end
local new = redis.call('SADD', KEYS[2], unpack(ARGV, 3))
if new > 0 then
  redis.call('HINCRBY', KEYS[3], math.floor(redis.call('TIME')[1] / 3600), new)
end
return 1
