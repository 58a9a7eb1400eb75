-- Names waiting batches of one connection, for a worker that has room for them now.
-- Two ends: what waited when the lane was last opened, and what came since; oldest first in each.
-- KEYS  1 open set   2 waiting batches of the connection   3 connections with such
--       4 the lane's hash: mark, the last batch number of the backlog
-- ARGV  1 connection   2 0 = the backlog first, 1 = newer ones first, 2 = the newest of all first
--       3 most batches
--       4 most events (one batch may be more)   5 ms until the sweep rings for them, should the
--       worker die
-- Returns their ids.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local mark = redis.call('HGET', KEYS[4], 'mark')
local found, events = {}, 0

-- False when there is no more room.
local function take(low, high, command)
  local most = tonumber(ARGV[3])
  for _, id in ipairs(redis.call(command or 'ZRANGEBYSCORE', KEYS[2], low, high, 'LIMIT', 0, most)) do
    local count = tonumber(string.match(id, ':(%d+):%d+$'))
    if #found >= most or (#found > 0 and events + count > tonumber(ARGV[4])) then return false end
    redis.call('ZREM', KEYS[2], id)
    if redis.call('ZSCORE', KEYS[1], id) then -- else it is settled: the sweep rang for it meanwhile
      redis.call('ZADD', KEYS[1], 'XX', now + ARGV[5], id)
      found[#found + 1] = id
      events = events + count
    end
  end
  return true
end

if ARGV[2] == '2' then
  take('+inf', '-inf', 'ZREVRANGEBYSCORE')
elseif not mark then
  take('-inf', '+inf')
elseif ARGV[2] == '1' then
  if take('(' .. mark, '+inf') then take('-inf', mark) end
elseif take('-inf', mark) then
  take('(' .. mark, '+inf')
end
if redis.call('ZCARD', KEYS[2]) == 0 then redis.call('SREM', KEYS[3], ARGV[1]) end
return found
