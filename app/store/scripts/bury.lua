-- Buries events that Platform refused later: a page of one failed file, all of it in one step.
-- Each letter is added, its event moves from `delivered` to `dead` in the ledger row of its hour,
-- and the file's mark moves on. Claims stay: what Customer.io sends again is a duplicate.
-- KEYS  1 prefix of dead letters   2 dead number counter
--       3 hash of failed files   4 look hash of the connection (counts)
-- ARGV  1 file   2 its mark as the caller read it, '' = none   3 the new mark   4 lifetime in ms
--       5 prefix of the ledger rows   6 prefix of the refused events
--       7..10 records of the page that are: foreign, nameless, copies, to be sent again by us
--       11 number of letters   then per letter: hour, week, digest of the event id,
--       batch number of the delivery, history, payload, summary, cause
-- Returns false when somebody else moved the mark, {hour} when that row has fewer delivered events
--       than letters (nothing is changed in both cases), else {0, letter numbers...}; a letter whose
--       delivery was buried before is left out, counted as a copy, and its number is 0.
-- include dead_add
if (redis.call('HGET', KEYS[3], ARGV[1]) or '') ~= ARGV[2] then return false end
local rows, chosen, before = {}, {}, {}
for i = 1, tonumber(ARGV[11]) do
  local at = 12 + (i - 1) * 8
  local known = redis.call('HGET', ARGV[6] .. ARGV[at + 1], ARGV[at + 2])
  local name = ARGV[at + 1] .. ':' .. ARGV[at + 2] .. ':' .. ARGV[at + 3]
  if before[name] or (known and string.match(known, '^%d+') == ARGV[at + 3]) then
    chosen[i] = false
  else
    before[name] = true
    chosen[i] = true
    rows[ARGV[at]] = (rows[ARGV[at]] or 0) + 1
  end
end
for hour, count in pairs(rows) do
  if tonumber(redis.call('HGET', ARGV[5] .. hour, 'delivered') or 0) < count then return {hour} end
end

local numbers, letters, copies, buried = {0}, {}, tonumber(ARGV[9]), 0
for i = 1, tonumber(ARGV[11]) do
  local at = 12 + (i - 1) * 8
  if chosen[i] then
    for part = 5, 7 do letters[#letters + 1] = ARGV[at + part] end
    buried = buried + 1
    redis.call('HINCRBY', ARGV[5] .. ARGV[at], 'delivered', -1)
    redis.call('HINCRBY', ARGV[5] .. ARGV[at], 'dead', 1)
    redis.call('HSET', ARGV[6] .. ARGV[at + 1], ARGV[at + 2], ARGV[at + 3] .. ' ' .. ARGV[at + 4])
    redis.call('PEXPIRE', ARGV[6] .. ARGV[at + 1], ARGV[4])
  else
    copies = copies + 1
  end
end
local given, next = dead_new(KEYS[1], KEYS[2], letters, 1, buried), 0
for i = 1, tonumber(ARGV[11]) do
  if chosen[i] then next = next + 1 end
  numbers[#numbers + 1] = chosen[i] and given[next] or 0
end
local counts = {buried = buried, foreign = ARGV[7], nameless = ARGV[8], copies = copies, again = ARGV[10]}
for name, count in pairs(counts) do
  if tonumber(count) > 0 then redis.call('HINCRBY', KEYS[4], name, count) end
end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return numbers
