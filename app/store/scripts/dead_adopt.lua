-- Takes over dead letters that a release before fingerprints wrote; their payloads stay as they are.
-- KEYS  1 prefix of dead letters   2 old summaries   3 old index of the connection
-- ARGV  number, summary, cause; again for each letter
-- Returns how many were taken over: those that nobody removed or took over meanwhile.
-- include dead_add
local letters, bytes = {}, 0
for at = 1, #ARGV, 3 do
  if redis.call('ZREM', KEYS[3], ARGV[at]) == 1 then
    redis.call('HDEL', KEYS[2], ARGV[at])
    bytes = bytes + redis.call('HSTRLEN', KEYS[1] .. 'payloads', ARGV[at])
    letters[#letters + 1] = {tonumber(ARGV[at]), false, ARGV[at + 1], ARGV[at + 2]}
  end
end
dead_add(KEYS[1], letters)
redis.call('INCRBY', KEYS[1] .. 'bytes', bytes)
return #letters
