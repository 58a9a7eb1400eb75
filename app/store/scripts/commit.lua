-- Puts a new event batch on the queue: durable and due, or not there at all.
-- KEYS  1 open set   2 batch number counter   3 connections   4 ledger hours of the connection
--       5 arq queue   6 backlog counter   7 the latest time that was seen
-- ARGV  1 connection   2 number of events   3 frame   4 grace in ms until the sweep rings
--       5 batch key prefix   6 ledger key prefix of the connection
-- Returns {batch id, length of the arq queue}
-- include clock_seen
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
clock_seen(KEYS[7], now)
local hour = math.floor(time[1] / 3600)
local number = redis.call('INCR', KEYS[2])
local id = string.format('%s:%d:%d:%d', ARGV[1], hour, ARGV[2], number)
redis.call('SET', ARGV[5] .. id, ARGV[3])
redis.call('ZADD', KEYS[1], now + ARGV[4], id)
redis.call('INCRBY', KEYS[6], ARGV[2])
local received = redis.call('HINCRBY', ARGV[6] .. hour, 'received', ARGV[2])
if received == tonumber(ARGV[2]) then -- the first of this hour
  redis.call('SADD', KEYS[3], ARGV[1])
  redis.call('SADD', KEYS[4], hour)
end
return {id, redis.call('ZCARD', KEYS[5])}
