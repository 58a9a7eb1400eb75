-- Replaces a field of a hash if nobody changed it meanwhile.
-- KEYS[1] hash   ARGV[1] field   ARGV[2] its value as it was read   ARGV[3] the new one
-- returns 1 when it was replaced, 0 when it is another by now, or gone
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
