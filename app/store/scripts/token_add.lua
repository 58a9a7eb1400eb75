-- Adds an API token under a name that its user has for no other one; drops what is over.
-- KEYS[1]  hash: SHA-256 of a token -> JSON: user, user_made_ms, name, ends_ms, ...
-- ARGV     1 digest   2 its JSON   3 most tokens of one user
-- returns  1 when it was added (or is there already: the call came twice), 0 when the name is taken,
--          -1 when the user has the most
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return 1 end
local new, mine = cjson.decode(ARGV[2]), 0
local found = redis.call('HGETALL', KEYS[1])
for at = 1, #found, 2 do
  local kept = cjson.decode(found[at + 1])
  local anothers = kept.user == new.user and kept.user_made_ms ~= new.user_made_ms
  if kept.ends_ms <= now or anothers then
    redis.call('HDEL', KEYS[1], found[at])
  elseif kept.user == new.user then
    if kept.name == new.name then return 0 end
    mine = mine + 1
  end
end
if mine >= tonumber(ARGV[3]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
