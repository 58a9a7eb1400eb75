-- Ends a batch: books every event of it, in one step, and takes it from the open set.
-- KEYS  1 open set   2 held   3 batch key   4 done key   5 ledger row of the batch's hour
--       6 trace hash of the batch number   7 prefix of dead letters   8 dead number counter
--       9 batch number counter   10 last test   11 backlog counter
--       12 waiting batches of the connection   13 connections with such
--       14 stems of the connection   15 edge hash of the connection
--       16 (only a batch of a replay run has it) the run
-- ARGV  1 owner   2 batch id   3 batch key prefix   4 connection   5 hour
--       6 duplicates   7 tests   8 delivered   9 dead   10 batch number   11 trace record
--       12 trace lifetime in ms   13 number of successors s   14 number of dead letters d
--       then s times: delay in ms, takes, events, number of the batch that it stems from, 1 when it
--       waits with its lane (park.lua), frame;   then d times: payload, summary, cause
-- Returns false when the owner no longer holds the batch (nothing is changed then),
--         else {numbers of the successors, numbers of the dead letters}.
-- include dead_add
local owner = string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^(%S+) ')
if owner ~= ARGV[1] or not redis.call('ZSCORE', KEYS[1], ARGV[2]) then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for i, column in ipairs({'duplicates', 'tests', 'delivered', 'dead'}) do
  if ARGV[5 + i] ~= '0' then
    redis.call('HINCRBY', KEYS[5], column, ARGV[5 + i])
    if KEYS[16] then redis.call('HINCRBY', KEYS[16], column, ARGV[5 + i]) end
  end
end
-- What is marked was counted for the edge when it was marked (mark.lua).
if ARGV[8] ~= '0' then
  local unmarked = ARGV[8] - redis.call('SCARD', KEYS[4])
  if unmarked > 0 then redis.call('HINCRBY', KEYS[15], math.floor(time[1] / 3600), unmarked) end
end
if ARGV[7] ~= '0' then redis.call('SET', KEYS[10], string.format('%.0f', now)) end

local at = 15
local later = 0
local successors = {}
for _ = 1, tonumber(ARGV[13]) do
  local number = redis.call('INCR', KEYS[9])
  local id = string.format('%s:%d:%d:%d', ARGV[4], ARGV[5], ARGV[at + 2], number)
  redis.call('SET', ARGV[3] .. id, ARGV[at + 5])
  later = later + ARGV[at + 2]
  redis.call('ZADD', KEYS[1], now + ARGV[at], id)
  if ARGV[at + 1] ~= '0' then redis.call('HSET', KEYS[2], id, '- 0 ' .. ARGV[at + 1]) end
  redis.call('ZADD', KEYS[14], ARGV[at + 3], id)
  if ARGV[at + 4] == '1' then
    redis.call('ZADD', KEYS[12], ARGV[at + 3], id)
    redis.call('SADD', KEYS[13], ARGV[4])
  end
  successors[#successors + 1] = number
  at = at + 6
end

local letters = dead_new(KEYS[7], KEYS[8], ARGV, at, tonumber(ARGV[14]))

if ARGV[12] ~= '0' then
  local followed = #successors > 0 and table.concat(successors, ',') or '0'
  redis.call('HSET', KEYS[6], ARGV[10], string.format('%.0f %s ', now, followed) .. ARGV[11])
  redis.call('PEXPIRE', KEYS[6], ARGV[12])
end
local events = string.match(ARGV[2], ':(%d+):%d+$')
redis.call('DECRBY', KEYS[11], string.format('%d', events - later))
redis.call('DEL', KEYS[3], KEYS[4])
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[14], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
return {successors, letters}
