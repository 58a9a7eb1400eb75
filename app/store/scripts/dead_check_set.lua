-- Looks whether the letters in an index set exist and have its term; takes the others out.
-- KEYS  1 prefix of dead letters   2 the set
-- ARGV  1 its block   2 '1': mend
-- Returns the numbers that do not belong there.
-- include dead_terms
local block, found = tonumber(ARGV[1]), {}
for _, place in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local number = block * DEAD_BLOCK + tonumber(place)
  local s, good = dead_read(KEYS[1], number), false
  for _, term in ipairs(s and dead_terms(s) or {}) do
    good = good or dead_index(KEYS[1], term, block) == KEYS[2]
  end
  -- A summary that nobody can read is not judged: the letter is there.
  good = good or (not s and redis.call('HEXISTS', dead_bucket(KEYS[1], number), number) == 1)
  if not good then
    found[#found + 1] = number
    if ARGV[2] == '1' then redis.call('SREM', KEYS[2], place) end
  end
end
if #found > 0 and ARGV[2] == '1' then dead_close(KEYS[1], block) end
return found
