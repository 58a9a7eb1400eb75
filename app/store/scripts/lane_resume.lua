-- Ends a lane's pause, and remembers where its backlog ends and newer batches begin (pull.lua).
-- KEYS  1 hash: the lane's state   2 the lane's hash (lane_lease.lua)   3 batch number counter
-- ARGV[1]  1: a probe got through; then a pause that was set since it was let in stays
-- Returns the milliseconds for which it was held back, -1 when it was not, or still is.
local since = redis.call('HGET', KEYS[1], 'since')
if not since then return -1 end
if ARGV[1] == '1' and redis.call('HGET', KEYS[1], 'probe') == '0' then return -1 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[2], 'mark', redis.call('GET', KEYS[3]) or '0')
redis.call('EXPIRE', KEYS[2], 86400)
local clock = redis.call('TIME')
return math.max(0, clock[1] * 1000 + math.floor(clock[2] / 1000) - since)
