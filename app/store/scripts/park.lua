-- Lays batches aside that their lane cannot take now: pull.lua finds them when it can. They stay in
-- the open set, due after a long while, so nothing depends on that.
-- KEYS  1 open set   2 held   3 waiting batches of the connection   4 connections with such
--       5 stems of the connection: older batches whose place in the order theirs is
-- ARGV  1 connection   2 ms until they are due at the earliest, at the latest twice that
--       3.. batch ids
-- Returns how many were laid aside: not those that are settled, or worked on by somebody.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local parked = 0
for i = 3, #ARGV do
  local id = ARGV[i]
  local held = redis.call('HGET', KEYS[2], id)
  local lease_until = held and tonumber(string.match(held, '^%S+ (%d+) ')) or 0
  if lease_until <= now and redis.call('ZSCORE', KEYS[1], id) then
    local number = tonumber(string.match(id, '(%d+)$'))
    local spread = ARGV[2] * (1 + number % 1000 / 1000)
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + spread), id)
    redis.call('ZADD', KEYS[3], 'NX', redis.call('ZSCORE', KEYS[5], id) or number, id)
    parked = parked + 1
  end
end
if parked > 0 then redis.call('SADD', KEYS[4], ARGV[1]) end
return parked
