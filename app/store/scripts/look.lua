-- Begins a look at Platform, if one is due and nobody else is at it; or keeps or ends one's own.
-- KEYS  1 look hash of the connection: owner, until, begun, seen, error, error_since
-- ARGV  1 owner   2 begin, keep, done, failed or leave   3 lease in ms
--       4 begin: interval in ms; failed: what went wrong   5 done: Unix ms until which was looked
-- Times are Redis' own, Unix ms.
-- Returns begin: {now, seen} or false;  keep, done, failed: {1 when the state is another than after
--       the look before, error before, since when} or false when it is no longer the owner's look.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function put(...) redis.call('HSET', KEYS[1], ...) end
local found = redis.call('HMGET', KEYS[1], 'owner', 'until', 'begun', 'seen', 'error', 'error_since')
local held = tonumber(found[2] or 0) > now and found[1]

if ARGV[2] == 'begin' then
  if held and held ~= ARGV[1] then return false end
  if not (tonumber(found[2] or 0) > 0 and tonumber(found[2]) <= now)
    and now < tonumber(found[3] or 0) + ARGV[4] then return false end
  put('owner', ARGV[1], 'until', string.format('%.0f', now + ARGV[3]), 'begun', string.format('%.0f', now))
  return {now, tonumber(found[4] or 0)}
end
if found[1] ~= ARGV[1] then return false end
local before, since = found[5] or '', tonumber(found[6] or 0)
if ARGV[2] == 'keep' or ARGV[2] == 'leave' then
  -- Left in the middle, as after a crash: the next one is due at once.
  put('until', ARGV[2] == 'leave' and '1' or string.format('%.0f', now + ARGV[3]))
  return {0, before, since}
end
-- 0: ended, and not merely abandoned, so the next one is due after the interval.
put('until', '0')
local word = ARGV[2] == 'failed' and ARGV[4] or ''
local changed = (before == '') ~= (word == '')
if changed and word ~= '' then put('error_since', string.format('%.0f', now)) end
put('error', word)
if ARGV[2] == 'done' then put('seen', ARGV[5]) end
return {changed and 1 or 0, before, since}
