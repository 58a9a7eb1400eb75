-- Takes in dead letters from elsewhere, and books them as received and dead.
-- KEYS  1 prefix of dead letters   2 dead number counter   3 ledger row of their hour
--       4 connections   5 hours of the connection
-- ARGV  1 connection   2 hour   3 how many   then payload, summary, cause of each, then the edit of
--       each ('' = none)
-- Returns their numbers.
-- include dead_add
local numbers = dead_new(KEYS[1], KEYS[2], ARGV, 4, tonumber(ARGV[3]))
for i, number in ipairs(numbers) do
  local edit = ARGV[3 + 3 * #numbers + i]
  if edit ~= '' then redis.call('HSET', KEYS[1] .. 'edits', number, edit) end
end
redis.call('HINCRBY', KEYS[3], 'received', #numbers)
redis.call('HINCRBY', KEYS[3], 'dead', #numbers)
redis.call('SADD', KEYS[4], ARGV[1])
redis.call('SADD', KEYS[5], ARGV[2])
return numbers
