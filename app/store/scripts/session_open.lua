-- Opens a session, in the place of another one when there was one.
-- KEYS[1]  hash: the new session   KEYS[2] the one that ends with it (may not exist)
-- ARGV[1]  user   ARGV[2] epoch   ARGV[3] csrf token   ARGV[4] ms after which it ends when idle
-- ARGV[5]  ms after which it ends in any case
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'user', ARGV[1], 'epoch', ARGV[2], 'csrf', ARGV[3],
  'opened_ms', string.format('%.0f', now), 'ends_ms', string.format('%.0f', now + ARGV[5]))
redis.call('PEXPIRE', KEYS[1], math.min(tonumber(ARGV[4]), tonumber(ARGV[5])))
