-- Names the batches that are due, and moves each ahead so that the next sweep leaves it alone
-- while its bell is on the way.
-- KEYS  1 open set   2 arq queue
-- ARGV  1 most jobs wanted in the arq queue   2 most batches to name   3 ms to move them ahead
-- Returns the ids, the longest due first.
local room = math.min(ARGV[1] - redis.call('ZCARD', KEYS[2]), tonumber(ARGV[2]))
if room <= 0 then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, room)
for _, id in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3], id)
end
return due
