-- Gives back a probe that is not sent after all: the next to ask may send one.
-- KEYS[1]  hash: the lane's state   ARGV[1]  who reserved it
-- returns  1, or 0 when it is not the asker's: the lane is open, or another has reserved a later one
if redis.call('HGET', KEYS[1], 'prober') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'probe', 0)
return 1
