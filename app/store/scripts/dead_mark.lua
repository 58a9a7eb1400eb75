-- Writes fields of a group of dead letters.
-- KEYS  1 group   ARGV  field, value; again for each
-- Returns 1, or 0 when there is no such group.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
