-- Counts an attempt to log in, unless there were too many.
-- KEYS     counters, each of a window that begins with its first attempt
-- ARGV[1]  ms that a window lasts   ARGV[2...] how many each counter allows in it
-- returns  0 when it was counted, else ms until it is worth trying again (nothing is counted then)
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) >= tonumber(ARGV[1 + i]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if wait > 0 then return wait end
for _, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[1]) end
end
return 0
