-- One step of a replay run: puts letters on the queue, takes them from the dead, and moves the run's
-- place, all of it or nothing. So each letter is replayed once, whoever dies when.
-- KEYS  1 run   2 selection   3 places   4 open set   5 batch number counter   6 backlog counter
--       7 prefix of dead letters
-- ARGV  1 owner   2 part: index:connection   3 place before   4 place after   5 1: the part is done
--       6 connection   7 batch key prefix   8 ledger key prefix of the connection
--       9 ms of unused time that may be made up for   10 lease in ms
--       11 letters of the step that stay dead: the run's recipe cannot mend them
--       12 number of reasons n, then n times: reason, letters
--       then per batch: hour, frame, number of letters n, n dead letter numbers
-- Returns {'put', ids of the batches}, or, when nothing is changed:
--   {'early', ms to wait}   the rate does not allow it yet
--   {'moved'}               the run is not this owner's, not running, or at another place
--   {'gone', numbers}       these letters were replayed or discarded by others meanwhile
-- include dead_remove
local run = redis.call('HMGET', KEYS[1], 'state', 'owner', 'rate', 'due_ms')
local place = redis.call('HGET', KEYS[3], ARGV[2]) or '0'
if run[1] ~= 'running' or run[2] ~= ARGV[1] or place ~= ARGV[3]
  or redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return {'moved'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = tonumber(run[4] or 0)
if due > now then return {'early', math.ceil(due - now)} end

local numbers, batches, gone = {}, {}, {}
local first = 13 + 2 * ARGV[12]
local at = first
while at <= #ARGV do
  local letters = tonumber(ARGV[at + 2])
  batches[#batches + 1] = {hour = ARGV[at], frame = ARGV[at + 1], events = letters}
  for i = at + 3, at + 2 + letters do
    numbers[#numbers + 1] = ARGV[i]
    if not dead_read(KEYS[7], tonumber(ARGV[i])) then gone[#gone + 1] = ARGV[i] end
  end
  at = at + 3 + letters
end
if #gone > 0 then return {'gone', gone} end

local ids = {}
for _, batch in ipairs(batches) do
  local number = redis.call('INCR', KEYS[5])
  local id = string.format('%s:%d:%d:%d', ARGV[6], batch.hour, batch.events, number)
  redis.call('SET', ARGV[7] .. id, batch.frame)
  redis.call('ZADD', KEYS[4], string.format('%.0f', now), id)
  redis.call('HINCRBY', ARGV[8] .. batch.hour, 'dead', -batch.events)
  ids[#ids + 1] = id
end
if #numbers > 0 then
  redis.call('INCRBY', KEYS[6], #numbers)
  dead_remove(KEYS[7], numbers)
end
if ARGV[5] == '1' then
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('HDEL', KEYS[3], ARGV[2])
else
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
end
due = math.max(due, now - ARGV[9]) + #numbers * 1000 / run[3]
redis.call('HSET', KEYS[1], 'due_ms', string.format('%.3f', due), 'holding', '',
  'lease_until', string.format('%.0f', now + ARGV[10]), 'put_ms', string.format('%.0f', now))
redis.call('HINCRBY', KEYS[1], 'put', #numbers)
redis.call('HINCRBY', KEYS[1], 'gone', ARGV[4] - ARGV[3] - #numbers - ARGV[11])
if ARGV[11] ~= '0' then redis.call('HINCRBY', KEYS[1], 'kept', ARGV[11]) end
for i = 13, first - 1, 2 do redis.call('HINCRBY', KEYS[1], 'kept:' .. ARGV[i], ARGV[i + 1]) end
return {'put', ids}
