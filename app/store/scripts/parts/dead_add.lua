-- dead_add(D, letters): puts dead letters where dead_terms.lua says, payload and index together.
-- letters: {number, payload or false when it lies there already, summary, cause} each.
-- dead_new(D, counter, args, at, count): the same for new ones, args holding payload, summary, cause
-- `count` times from `at` on. Returns their numbers.
-- include dead_terms
local DEAD_FIELDS = 200

-- Counts by kind, campaign and the like: what comes after so many different ones shares a field.
local function dead_tally(key, fields)
  for field, count in pairs(fields) do
    if redis.call('HINCRBY', key, field, count) == count
      and redis.call('HLEN', key) > DEAD_FIELDS then
      redis.call('HDEL', key, field)
      redis.call('HINCRBY', key, string.sub(field, 1, 2) .. '*', count)
    end
  end
end

local function dead_group(D, finger, group)
  local key = D .. 'group:' .. finger
  local known = redis.call('HMGET', key, 'first', 'last', 'state')
  if not known[1] then redis.call('HSET', key, 'cause', group.cause) end
  local first = math.min(group.first, tonumber(known[1]) or group.first)
  local last = math.max(group.last, tonumber(known[2]) or group.last)
  local said = string.format('%.0f', last)
  redis.call('HSET', key, 'first', string.format('%.0f', first), 'last', said)
  redis.call('ZADD', D .. 'groups:last', last, finger)
  if known[3] == 'resolved' then
    redis.call('HSET', key, 'state', 'reopened', 'reopened_ms', said)
  end
  redis.call('HINCRBY', key, 'ever', group.count)
  redis.call('ZADD', D .. 'groups:live', redis.call('HINCRBY', key, 'live', group.count), finger)
  dead_tally(key, group.fields)
end

local function dead_note_token(D, token, number, sets)
  local key, field = dead_token(D, token)
  local packed = struct.pack('>I5', number)
  if redis.call('HSETNX', key, field, packed) == 1 then return end
  local known = redis.call('HGET', key, field)
  if known ~= '*' and #known < DEAD_FEW then
    redis.call('HSET', key, field, known .. packed)
    return
  end
  local term = 't' .. dead_hex(token)
  for at = 1, known ~= '*' and #known or 0, 5 do
    local other = struct.unpack('>I5', known, at)
    dead_push(sets, dead_index(D, term, math.floor(other / DEAD_BLOCK)), other % DEAD_BLOCK)
  end
  redis.call('HSET', key, field, '*')
  dead_push(sets, dead_index(D, term, math.floor(number / DEAD_BLOCK)), number % DEAD_BLOCK)
end

local function dead_span(D, block, first, last)
  redis.call('ZADD', D .. 'blocks', block, block)
  local from, to = string.match(redis.call('HGET', D .. 'spans', block) or '', '^(%d+) (%d+)$')
  if from then first, last = math.min(first, from), math.max(last, to) end
  redis.call('HSET', D .. 'spans', block, string.format('%.0f %.0f', first, last))
end

local function dead_add(D, letters)
  local sets, summaries, payloads, spans, groups, counts, bytes = {}, {}, {}, {}, {}, {}, 0
  for _, letter in ipairs(letters) do
    local number, s = letter[1], cmsgpack.unpack(letter[3])
    local block, place, ms = math.floor(number / DEAD_BLOCK), number % DEAD_BLOCK, s[9] + s[10]
    local terms = dead_terms(s)
    for _, term in ipairs(terms) do dead_push(sets, dead_index(D, term, block), place) end
    for at = 1, #s[7], DEAD_TOKEN do
      dead_note_token(D, string.sub(s[7], at, at + DEAD_TOKEN - 1), number, sets)
    end
    dead_push(summaries, dead_bucket(D, number), number)
    dead_push(summaries, dead_bucket(D, number), letter[3])
    if letter[2] then
      payloads[#payloads + 1] = number
      payloads[#payloads + 1] = letter[2]
      bytes = bytes + #letter[2]
    end
    local span = spans[block] or {ms, ms}
    spans[block] = {math.min(span[1], ms), math.max(span[2], ms)}
    counts[s[2]] = (counts[s[2]] or 0) + 1
    local group = dead_gather(groups, terms)
    group.cause = letter[4]
    group.first = math.min(group.first or ms, ms)
    group.last = math.max(group.last or ms, ms)
  end
  for key, places in pairs(sets) do dead_many('SADD', key, places) end
  for key, pairs_ in pairs(summaries) do dead_many('HSET', key, pairs_) end
  dead_many('HSET', D .. 'payloads', payloads)
  for block, span in pairs(spans) do dead_span(D, block, span[1], span[2]) end
  for connection, count in pairs(counts) do redis.call('HINCRBY', D .. 'counts', connection, count) end
  redis.call('INCRBY', D .. 'bytes', bytes)
  for finger, group in pairs(groups) do dead_group(D, finger, group) end
end

local function dead_new(D, counter, args, at, count)
  local letters, numbers = {}, {}
  if count == 0 then return numbers end
  local number = redis.call('INCRBY', counter, count) - count
  for i = 1, count do
    numbers[i] = number + i
    letters[i] = {number + i, args[at], args[at + 1], args[at + 2]}
    at = at + 3
  end
  dead_add(D, letters)
  return numbers
end
