-- Slows a lane down after a refusal, once however many requests were refused together.
-- KEYS  1 the lane's hash (lane_lease.lua)
-- ARGV  1 version of the pace at which the refused request was sent
--       2 peak   3 low   4 streak: the new pace   5 ms in which nothing is leased   6 window in ms
-- Returns 1, or 0 when somebody has slowed it down already.
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or 0)
if version ~= tonumber(ARGV[1]) then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('HSET', KEYS[1], 'peak', ARGV[2], 'low', ARGV[3], 'streak', ARGV[4], 'grown', '0',
  'version', version + 1, 'last', string.format('%.0f', now + ARGV[5] * 1000),
  'm', string.format('%.0f', now + (ARGV[5] + ARGV[6]) * 1000))
redis.call('EXPIRE', KEYS[1], 86400)
return 1
