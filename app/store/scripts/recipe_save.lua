-- Saves a recipe under the next version, unless it says the same already.
-- KEYS  1 recipes   2 last versions
-- ARGV  1 name   2 text   3 who   4 the version that it is to replace, 0 = none, '' = any
-- Returns the version that it has now, 0 when another one is there (nothing is changed then). A version
-- is never given twice, deleted or not.
local packed = redis.call('HGET', KEYS[1], ARGV[1])
local there = 0
if packed then
  local good, known = pcall(cmsgpack.unpack, packed)
  if good then there = known[1] end
  if good and known[4] == ARGV[2] then return there end
end
if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= there then return 0 end
local time = redis.call('TIME')
local version = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
local ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack({version, ARGV[3], ms, ARGV[2]}))
return version
