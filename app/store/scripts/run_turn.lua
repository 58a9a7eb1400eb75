-- Changes the state of a run, if it is in one of those from which that is possible.
-- KEYS  1 run   2 active runs   3 selection   4 places
-- ARGV  1 run number   2 new state   3 reason   4 states it may be in, each followed by a space
--       5.. fields and values to set with it
-- Returns the state it was in, '' when there is no such run. It was changed if that is among ARGV 4.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return '' end
if not string.find(ARGV[4], state .. ' ', 1, true) then return state end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'reason', ARGV[3], 'holding', '')
if #ARGV > 4 then redis.call('HSET', KEYS[1], unpack(ARGV, 5)) end
if ARGV[2] == 'running' then
  redis.call('SADD', KEYS[2], ARGV[1])
  -- Who works on it shall find out at once. And what was before says nothing any more.
  redis.call('HDEL', KEYS[1], 'lease_until', 'owner')
  local run = redis.call('HMGET', KEYS[1], 'delivered', 'dead', 'duplicates', 'tests')
  redis.call('HSET', KEYS[1], 'mark_settled',
    (run[1] or 0) + (run[2] or 0) + (run[3] or 0) + (run[4] or 0), 'mark_dead', run[2] or 0)
else
  redis.call('SREM', KEYS[2], ARGV[1])
end
if ARGV[2] == 'cancelled' then redis.call('DEL', KEYS[3], KEYS[4]) end
return state
