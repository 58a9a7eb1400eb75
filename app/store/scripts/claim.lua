-- Claims event ids for one batch: exact, remembered for the window, about 20 bytes an id.
--
-- An id is a slot (about a minute of its own time) and the rest of its bytes. A slot is one hash
-- while it is small; linear hashing splits it one bucket at a time as it grows, so that every
-- bucket stays in Redis' compact listpack encoding. The root bucket (number 0) also holds
-- `n`: ids in the slot, and `x`: when its buckets expire, in ms.
--
-- KEYS  none (slots and buckets are found while it runs)
-- ARGV  1 key prefix   2 batch number   3 window in ms   4 ids a bucket is meant to hold
--       5 1: take claims of others over (a replay)
--       then per slot: name, length of an id's rest in bytes, the rests in one string
-- Returns one character per id: n(ew), o(wn: claimed by this batch before), d(uplicate).
local prefix, batch, window, target = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function spread(id) -- a number from the last bytes, which are random in a ULID
  local a, b, c, d = string.byte(id, -4, -1)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function round_of(buckets) -- the power of two at which the current round of splits began
  local size = 1
  while size * 2 <= buckets do size = size * 2 end
  return size
end

local function split(slot, buckets, expires)
  local size = round_of(buckets)
  local from = slot .. (buckets - size)
  local to, moved = slot .. buckets, false
  local all = redis.call('HGETALL', from)
  for i = 1, #all, 2 do
    if #all[i] > 1 and spread(all[i]) % (size * 2) == buckets then
      redis.call('HSET', to, all[i], all[i + 1])
      redis.call('HDEL', from, all[i])
      moved = true
    end
  end
  if moved then redis.call('PEXPIREAT', to, expires) end
end

local answer = {}
local take_over = ARGV[5] == '1'
local at = 6
while at <= #ARGV do
  local slot = prefix .. ARGV[at] .. ':'
  local width, rests = tonumber(ARGV[at + 1]), ARGV[at + 2]
  local state = redis.call('HMGET', slot .. '0', 'n', 'x')
  local count, expires = tonumber(state[1] or 0), tonumber(state[2] or 0)
  local buckets = math.max(1, math.ceil(count / target))
  if expires < now + window then -- renewed with a tenth to spare, so once in many calls
    expires = now + math.floor(window * 1.1)
    redis.call('HSET', slot .. '0', 'x', string.format('%.0f', expires))
    for bucket = 0, buckets - 1 do redis.call('PEXPIREAT', slot .. bucket, expires) end
  end
  local before, fresh = count, {}
  local size = round_of(buckets)
  for i = 1, #rests, width do
    local id = string.sub(rests, i, i + width - 1)
    local number = spread(id)
    local bucket = number % (size * 2)
    if bucket >= buckets then bucket = number % size end
    local key = slot .. bucket
    if redis.call('HSETNX', key, id, batch) == 1 then
      count = count + 1
      fresh[key] = true
      answer[#answer + 1] = 'n'
      if count > buckets * target then
        split(slot, buckets, expires)
        buckets = buckets + 1
        if buckets == size * 2 then size = buckets end
      end
    elseif take_over then
      redis.call('HSET', key, id, batch)
      answer[#answer + 1] = 'o'
    elseif redis.call('HGET', key, id) == batch then
      answer[#answer + 1] = 'o'
    else
      answer[#answer + 1] = 'd'
    end
  end
  for key in pairs(fresh) do -- a bucket that this call began has no lifetime yet
    if redis.call('PTTL', key) == -1 then redis.call('PEXPIREAT', key, expires) end
  end
  if count ~= before then redis.call('HSET', slot .. '0', 'n', count) end
  at = at + 3
end
return table.concat(answer)
