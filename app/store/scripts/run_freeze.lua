-- Adds a part to the selection of a run that is being frozen, or shows that it still is. May run
-- twice.
-- KEYS  1 run   2 selection
-- ARGV  1 ms until the next must follow   then, for a part: 2 index:connection
--       3 numbers, packed   4 how many
-- Returns 1, or 0 when the run is not being frozen any more (nothing is changed then).
if redis.call('HGET', KEYS[1], 'state') ~= 'freezing' then return 0 end
if ARGV[2] and redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'frozen', ARGV[4])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'lease_until', string.format('%.0f', now + ARGV[1]))
return 1
