-- Whose session is it, and is it still good? Redis's clock decides. A session that is over, whose
-- user is gone or was logged out everywhere, is removed.
-- KEYS[1]  hash: the session: user, epoch, csrf, opened_ms, ends_ms
-- KEYS[2]  hash: user name -> JSON with role and epoch
-- ARGV[1]  ms after which it ends unless it is used again; 0 = only look, it is not being used
-- returns  {user, role, csrf, opened_ms, ms until it ends however much it is used}, or false
local found = redis.call('HMGET', KEYS[1], 'user', 'epoch', 'csrf', 'opened_ms', 'ends_ms')
if not found[1] then return false end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local left = tonumber(found[5]) - now
local packed = redis.call('HGET', KEYS[2], found[1])
local user = packed and cjson.decode(packed)
if left <= 0 or not user or user.epoch ~= tonumber(found[2]) then
  redis.call('DEL', KEYS[1])
  return false
end
local idle = tonumber(ARGV[1])
if idle > 0 then redis.call('PEXPIRE', KEYS[1], math.min(idle, left)) end
return {found[1], user.role, found[3], tonumber(found[4]), left}
