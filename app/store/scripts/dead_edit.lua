-- Puts an edit beside a dead letter, or takes it away.
-- KEYS  1 prefix of dead letters   ARGV  1 number   2 edit, '' = none
-- Returns 1, or 0 when there is no such letter.
-- include dead_terms
if not dead_read(KEYS[1], tonumber(ARGV[1])) then return 0 end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1] .. 'edits', ARGV[1])
else
  redis.call('HSET', KEYS[1] .. 'edits', ARGV[1], ARGV[2])
end
return 1
