-- Drops groups of dead letters that have no letters any more.
-- KEYS  1 prefix of dead letters
-- ARGV  1 ms: only those whose last letter died before   2.. fingerprints
-- Returns how many were dropped.
local dropped = 0
for at = 2, #ARGV do
  local key = KEYS[1] .. 'group:' .. ARGV[at]
  local known = redis.call('HMGET', key, 'live', 'last')
  if (tonumber(known[1]) or 0) <= 0 and (tonumber(known[2]) or 0) < tonumber(ARGV[1]) then
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[1] .. 'groups:last', ARGV[at])
    redis.call('ZREM', KEYS[1] .. 'groups:live', ARGV[at])
    dropped = dropped + 1
  end
end
return dropped
