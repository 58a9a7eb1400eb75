-- Takes batches for one worker: nobody else holds them until the lease runs out.
-- KEYS  1 open set   2 held   3 the latest time that was seen
-- ARGV  1 owner   2 lease in ms   3 batch key prefix   4 done key prefix
--       5 from how many takes on a batch is a suspect   6.. batch ids
-- Returns per id: 'gone' (settled), 'held' (somebody works on it), 'lost' (open, but no frame),
--         or {takes without settling, this one included; frame; 1 if some of it was delivered}
-- A suspect's take is not counted here but when its work begins (begin.lua): it may have to wait,
-- and must not be blamed for what kills the worker meanwhile.
-- include clock_seen
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
clock_seen(KEYS[3], now)
local answer = {}
for i = 6, #ARGV do
  local id = ARGV[i]
  local held = redis.call('HGET', KEYS[2], id)
  local lease_until, takes = 0, 0
  if held then
    local _, till, count = string.match(held, '^(%S+) (%d+) (%d+)$')
    -- Garbled by a power cut at the end of its file (README, "Redis"): nobody's.
    lease_until, takes = tonumber(till) or 0, tonumber(count) or 0
  end
  if not redis.call('ZSCORE', KEYS[1], id) then
    answer[#answer + 1] = 'gone'
  elseif lease_until > now then
    answer[#answer + 1] = 'held'
  else
    local frame = redis.call('GET', ARGV[3] .. id)
    if frame then
      takes = takes + 1
      local till = now + ARGV[2]
      local counted = takes < tonumber(ARGV[5]) and takes or takes - 1
      redis.call('HSET', KEYS[2], id, string.format('%s %.0f %d', ARGV[1], till, counted))
      redis.call('ZADD', KEYS[1], till, id)
      answer[#answer + 1] = {takes, frame, redis.call('EXISTS', ARGV[4] .. id)}
    else
      redis.call('ZADD', KEYS[1], now + 60000, id)
      answer[#answer + 1] = 'lost'
    end
  end
end
return answer
