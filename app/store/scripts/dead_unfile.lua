-- Forgets a spill file that no letter is in any more.
-- KEYS  1 prefix of dead letters   ARGV  1 number of the file
-- Returns 1 when it was forgotten.
local count = redis.call('HGET', KEYS[1] .. 'files', ARGV[1])
if not count or tonumber(count) > 0 then return 0 end
return redis.call('HDEL', KEYS[1] .. 'files', ARGV[1])
