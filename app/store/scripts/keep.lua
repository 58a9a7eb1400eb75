-- Heartbeat: moves the lease of batches ahead, for those that the owner still holds.
-- KEYS  1 open set   2 held   3 the latest time that was seen
-- ARGV  1 owner   2 lease in ms   3.. batch ids
-- Returns the ids that are no longer the owner's.
-- include clock_seen
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
clock_seen(KEYS[3], now)
local till = now + ARGV[2]
local lost = {}
for i = 3, #ARGV do
  local owner, _, takes = string.match(redis.call('HGET', KEYS[2], ARGV[i]) or '', '^(%S+) (%d+) (%d+)$')
  if owner == ARGV[1] then
    redis.call('HSET', KEYS[2], ARGV[i], string.format('%s %.0f %d', owner, till, takes))
    redis.call('ZADD', KEYS[1], 'XX', till, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
