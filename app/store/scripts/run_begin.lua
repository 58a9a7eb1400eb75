-- Makes a replay run, whose selection is still to be frozen.
-- KEYS  1 run number counter   2 runs   3 active runs   4 dead letter number counter
-- ARGV  1 run key prefix   2 ms within which the first part of the selection must follow
--       3.. fields and values of the run
-- Returns {run number, cut-off: the last dead letter number that can be in it}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local number = redis.call('INCR', KEYS[1])
local cutoff = tonumber(redis.call('GET', KEYS[4]) or 0)
local run = ARGV[1] .. string.format('%.0f', number)
redis.call('HSET', run, unpack(ARGV, 3))
redis.call('HSET', run, 'state', 'freezing', 'cutoff', cutoff, 'made_ms', string.format('%.0f', now),
  'lease_until', string.format('%.0f', now + ARGV[2]))
redis.call('ZADD', KEYS[2], string.format('%.0f', now), number)
redis.call('SADD', KEYS[3], number)
return {number, cutoff}
