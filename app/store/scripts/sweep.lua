-- Names the batches that are due, and moves each ahead so that the next sweep leaves it alone
-- while its bell is on the way.
-- KEYS  1 open set   2 arq queue   3 held   4 the latest time that was seen
-- ARGV  1 most jobs wanted in the arq queue   2 most batches to name   3 ms to move them ahead
-- Returns the ids, the longest due first.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The clock was set back: what was to happen by the old one would wait as much longer. What was
-- scored before it had gone wrong is due too early then, which hurts nobody.
local back = (tonumber(redis.call('GET', KEYS[4]) or 0) or 0) - now
if back > 1000 then
  local ahead = redis.call('ZRANGE', KEYS[1], string.format('(%.0f', now), '+inf', 'BYSCORE', 'WITHSCORES')
  for i = 1, #ahead, 2 do
    redis.call('ZADD', KEYS[1], string.format('%.0f', math.max(now, ahead[i + 1] - back)), ahead[i])
    local owner, till, takes = string.match(redis.call('HGET', KEYS[3], ahead[i]) or '', '^(%S+) (%d+) (%d+)$')
    if owner and tonumber(till) > now then
      redis.call('HSET', KEYS[3], ahead[i], string.format('%s %.0f %d', owner, math.max(now, till - back), takes))
    end
  end
end
redis.call('SET', KEYS[4], string.format('%.0f', now))

local room = math.min(ARGV[1] - redis.call('ZCARD', KEYS[2]), tonumber(ARGV[2]))
if room <= 0 then return {} end
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, room)
for _, id in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3], id)
end
return due
