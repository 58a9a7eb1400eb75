-- Leases and due times are written by the clock. Should it be set back before a sweep has seen it,
-- the next one must know how far (sweep.lua), so who writes by it says so: now and then is enough.
local function clock_seen(key, now)
  if now > (tonumber(redis.call('GET', key) or 0) or 0) + 500 then
    redis.call('SET', key, string.format('%.0f', now))
  end
end
