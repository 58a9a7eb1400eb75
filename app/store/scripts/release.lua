-- Gives a batch back unsettled: it becomes due after a delay, and anyone may take it.
-- KEYS  1 open set   2 held
-- ARGV  1 owner   2 batch id   3 delay in ms   4 1: this take does not count (a graceful stop)
-- Returns 1, or 0 when the owner no longer held it.
local owner, _, takes = string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^(%S+) (%d+) (%d+)$')
if owner ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
takes = takes - ARGV[4]
if takes > 0 then
  redis.call('HSET', KEYS[2], ARGV[2], string.format('- 0 %d', takes))
else
  redis.call('HDEL', KEYS[2], ARGV[2])
end
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3], ARGV[2])
return 1
