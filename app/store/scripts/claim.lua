-- Claims event ids for one batch: exact, remembered for the window, about 20 bytes an id.
--
-- An id is a slot (about a minute of its own time) and the rest of its bytes. A slot is a small
-- B-tree: buckets are hashes small enough for Redis' compact listpack encoding, each for a range
-- of ids, and a string names the ranges once there are several. Ids of a batch are neighbours in
-- time, so they share buckets and few commands are needed; and as ids come in the order of their
-- time, a full bucket is left behind full, and the next one begun.
--
-- KEYS  1 held (slots and buckets are found while it runs)
-- ARGV  1 key prefix   2 batch number   3 window in ms   4 ids a bucket may hold
--       5 1: take claims of others over (a replay)   6 batch id   7 its owner; both empty: unasked
--       then per slot: name, length of an id's rest in bytes, the rests in one string, sorted
-- Returns one character per id: n(ew), o(wn: claimed by this batch before), d(uplicate); false when
-- the owner does not hold the batch. A claim of one that is not there (a failover forgot it, and a
-- worker remembers it) would make a duplicate of every event of it that is sent again, for ever.
if ARGV[6] ~= '' then
  local owner = string.match(redis.call('HGET', KEYS[1], ARGV[6]) or '', '^(%S+) ')
  if owner ~= ARGV[7] then return false end
end
local prefix, batch, window, capacity = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local take_over = ARGV[5] == '1'
-- Renewed with a tenth to spare, so that most calls need not.
local lifetime = string.format('%.0f', math.floor(window * 1.1))
local GROUP_MAX, BUCKETS_MAX = 1000, 65535

-- The first six bytes as a number: strings are not compared, Redis lets the locale order them.
local function order(text, from)
  local a, b, c, d, e, f = string.byte(text, from, from + 5)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

-- Ranges: 8 bytes each, in order: where it begins (6), number of its bucket (2). What lies before
-- the first begins at 0 and is bucket 0.
local function range_of(ranges, number)
  local low, high = 0, #ranges / 8
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if order(ranges, middle * 8 - 7) <= number then low = middle else high = middle - 1 end
  end
  return low
end

local function bucket_of(ranges, range)
  if range == 0 then return 0 end
  local a, b = string.byte(ranges, range * 8 - 1, range * 8)
  return a * 256 + b
end

local function record(number, bucket)
  local bytes = {}
  for i = 6, 1, -1 do
    bytes[i] = number % 256
    number = math.floor(number / 256)
  end
  return string.char(bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6],
                     math.floor(bucket / 256), bucket % 256)
end

-- Where to cut a full bucket: before `number`, unless most of it would have to move.
local function cut_of(all, number)
  local behind, numbers = 0, {}
  for i = 1, #all, 2 do
    local own = order(all[i], 1)
    numbers[#numbers + 1] = own
    if own >= number then behind = behind + 1 end
  end
  if behind * 2 <= #numbers then return number end
  table.sort(numbers)
  for i = math.ceil(#numbers / 2), #numbers do
    if numbers[i] > numbers[1] then return numbers[i] end
  end
  return nil -- all alike in six bytes: it has to grow
end

-- Splits a full bucket in whose range `number` lies. Returns the new ranges, or nil.
local function split(slot, ranges, range, number)
  local bucket = #ranges / 8 + 1
  if bucket > BUCKETS_MAX then return nil end
  local from, to = slot .. bucket_of(ranges, range), slot .. bucket
  local all, moved = redis.call('HGETALL', from), false
  local cut = cut_of(all, number)
  if not cut then return nil end
  for i = 1, #all, 2 do
    if order(all[i], 1) >= cut then
      redis.call('HSET', to, all[i], all[i + 1])
      redis.call('HDEL', from, all[i])
      moved = true
    end
  end
  if moved then redis.call('PEXPIRE', to, lifetime) end
  ranges = string.sub(ranges, 1, range * 8) .. record(cut, bucket) .. string.sub(ranges, range * 8 + 1)
  redis.call('SET', slot .. 'r', ranges, 'PX', lifetime)
  return ranges
end

local answer = {}

local function claim_slot(slot, width, rests)
  local ranges = redis.call('GET', slot .. 'r') or ''
  local at, growing = 1, {}
  while at <= #rests do
    local range = range_of(ranges, order(rests, at))
    local key = slot .. bucket_of(ranges, range)
    local limit = range < #ranges / 8 and order(ranges, range * 8 + 1) or math.huge
    local group, next_at = {}, at
    while next_at <= #rests and #group < GROUP_MAX and order(rests, next_at) < limit do
      group[#group + 1] = string.sub(rests, next_at, next_at + width - 1)
      next_at = next_at + width
    end
    local length = redis.call('HLEN', key)
    local held = length > 0 and redis.call('HMGET', key, unpack(group)) or {}
    local added, full = {}, length
    for i, id in ipairs(group) do
      local owner = held[i]
      -- What a power cut garbled at the end of its file (README, "Redis") is nobody's claim.
      if owner and not string.find(owner, '^%d+$') then
        redis.call('HDEL', key, id)
        owner, full = nil, full - 1
      end
      if owner and (owner == batch or not take_over) then
        answer[#answer + 1] = owner == batch and 'o' or 'd'
      else
        if not owner then
          if full >= capacity and not growing[key] then -- this id and the rest after a split
            next_at = at + (i - 1) * width
            break
          end
          full = full + 1
        end
        added[#added + 1] = id
        added[#added + 1] = batch
        answer[#answer + 1] = owner and 'o' or 'n'
      end
    end
    if #added > 0 then
      redis.call('HSET', key, unpack(added))
      if length == 0 or redis.call('PTTL', key) < window then
        redis.call('PEXPIRE', key, lifetime)
        if ranges ~= '' then redis.call('PEXPIRE', slot .. 'r', lifetime) end
      end
    end
    at = next_at
    if at <= #rests and full >= capacity and order(rests, at) < limit and not growing[key] then
      local split_ranges = split(slot, ranges, range, order(rests, at))
      ranges = split_ranges or ranges
      growing[key] = not split_ranges
    end
  end
end

for i = 8, #ARGV, 3 do
  claim_slot(prefix .. ARGV[i] .. ':', tonumber(ARGV[i + 1]), ARGV[i + 2])
end
return table.concat(answer)
