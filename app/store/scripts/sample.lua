-- Keeps copies of events as a sample of recent traffic: so many at most, and none for too long.
-- KEYS  1 samples   2 sample index
-- ARGV  1 now in ms   2 lifetime in ms   3 most events to keep   then n times: kind, packed event
-- Returns how many are kept now.
-- When there are too many, the oldest of the kinds with the most go first, so that a rare kind
-- outlives a flood of a common one. Only the small index is looked through, never the events.
local now, life, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local function drop(members)
  for first = 1, #members, 1000 do
    local last = math.min(first + 999, #members)
    local numbers = {}
    for i = first, last do numbers[#numbers + 1] = string.match(members[i], '^%d+') end
    redis.call('ZREM', KEYS[2], unpack(members, first, last))
    redis.call('HDEL', KEYS[1], unpack(numbers))
  end
end

drop(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - life)))
for at = 4, #ARGV, 2 do
  local number = redis.call('HINCRBY', KEYS[1], 'last', 1)
  redis.call('HSET', KEYS[1], number, ARGV[at + 1])
  redis.call('ZADD', KEYS[2], ARGV[1], number .. ' ' .. ARGV[at])
end

local kept = redis.call('ZCARD', KEYS[2])
if kept > most then
  local members = redis.call('ZRANGE', KEYS[2], 0, -1)
  local counts = {}
  for _, member in ipairs(members) do
    local kind = string.match(member, ' (.*)$')
    counts[kind] = (counts[kind] or 0) + 1
  end
  -- The largest share that every kind may have: what they would then keep must fit.
  local low, high = 0, most
  while low < high do
    local share = math.ceil((low + high) / 2)
    local sum = 0
    for _, count in pairs(counts) do sum = sum + math.min(count, share) end
    if sum <= most then low = share else high = share - 1 end
  end
  local gone = {}
  for _, member in ipairs(members) do
    local kind = string.match(member, ' (.*)$')
    if kept - #gone > most and counts[kind] > low then
      counts[kind] = counts[kind] - 1
      gone[#gone + 1] = member
    end
  end
  drop(gone)
  kept = kept - #gone
end

redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return kept
