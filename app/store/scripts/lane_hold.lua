-- Holds a lane back for connect, whoever else does: only connect ends that, or its time.
-- KEYS[1]  hash: connect's hold   ARGV[1]  why   ARGV[2]  milliseconds, -1 = without an end
-- returns  1
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wanted = tonumber(ARGV[2])
local till = wanted < 0 and -1 or now + wanted
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'why', ARGV[1],
  'set', string.format('%.0f', now))
redis.call('HSETNX', KEYS[1], 'since', string.format('%.0f', now))
return 1
