-- Gives a letter a summary again: its payload is there, the summary is gone or cannot be read.
-- KEYS  1 prefix of dead letters
-- ARGV  1 number   2 summary   3 cause
-- Returns 1, or 0 when the letter is whole or gone.
-- include dead_add
local number = tonumber(ARGV[1])
if dead_read(KEYS[1], number) then return 0 end
if redis.call('HEXISTS', KEYS[1] .. 'payloads', number) == 0 then return 0 end
dead_add(KEYS[1], {{number, false, ARGV[2], ARGV[3]}})
return 1
