-- Puts in place of payloads where they were spilled to: the file is on disk by now.
-- KEYS  1 prefix of dead letters
-- ARGV  1 number of the file   then number of the letter, place; again for each
-- Returns how many it was done for: those that are still there, and not spilled before.
local D, done, saved = KEYS[1], 0, 0
for at = 2, #ARGV, 2 do
  local payload = redis.call('HGET', D .. 'payloads', ARGV[at])
  if payload and string.byte(payload) ~= 2 then
    redis.call('HSET', D .. 'payloads', ARGV[at], ARGV[at + 1])
    saved = saved + #payload - #ARGV[at + 1]
    done = done + 1
  end
end
redis.call('DECRBY', D .. 'bytes', saved)
redis.call('HINCRBY', D .. 'files', ARGV[1], done)
return done
