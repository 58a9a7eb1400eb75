-- Writes fields of groups of dead letters, of all of them that there are.
-- KEYS  groups   ARGV  field, value; again for each
-- Returns how many there were.
local found = 0
for _, group in ipairs(KEYS) do
  if redis.call('EXISTS', group) == 1 then
    redis.call('HSET', group, unpack(ARGV))
    found = found + 1
  end
end
return found
