-- Turns dead letters back into a batch on the queue, all of them or none: the batch is put first,
-- the letters go second, and both in one step.
-- KEYS  1 open set   2 batch number counter   3 prefix of dead letters   4 ledger row of their hour
--       5 backlog counter
-- ARGV  1 connection   2 hour   3 frame   4 batch key prefix   5.. dead letter numbers
-- Returns {batch id}, or the number of the first letter that is gone (nothing is changed then).
-- include dead_remove
for i = 5, #ARGV do
  if not dead_read(KEYS[3], tonumber(ARGV[i])) then return ARGV[i] end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local events = #ARGV - 4
local number = redis.call('INCR', KEYS[2])
local id = string.format('%s:%d:%d:%d', ARGV[1], ARGV[2], events, number)
redis.call('SET', ARGV[4] .. id, ARGV[3])
redis.call('ZADD', KEYS[1], now, id)
redis.call('INCRBY', KEYS[5], events)
dead_remove(KEYS[3], {unpack(ARGV, 5)})
redis.call('HINCRBY', KEYS[4], 'dead', -events)
return {id}
