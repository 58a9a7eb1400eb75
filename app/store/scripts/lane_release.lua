-- Delete a key only if it still holds what the caller put or saw there.
-- KEYS[1]  string   ARGV[1]  the value
-- returns  1 if deleted, else 0
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
