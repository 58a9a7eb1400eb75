-- dead_add(D, letters): puts dead letters where dead_terms.lua says, payload and index together.
-- letters: {number, payload or false when it lies there already, summary, cause} each.
-- dead_new(D, counter, args, at, count): the same for new ones, args holding payload, summary, cause
-- `count` times from `at` on. Returns their numbers.
-- include dead_terms
local DEAD_FIELDS = 200

-- Adds to a group's counts; returns its last death and its letters.
local function dead_group(D, finger, group)
  local key = D .. 'group:' .. finger
  local names, fields = {'first', 'last', 'state', 'ever', 'live'}, group.fields
  for field in pairs(fields) do names[#names + 1] = field end
  local known = {}
  for at = 1, #names, 2000 do
    for i, value in ipairs(redis.call('HMGET', key, unpack(names, at, math.min(at + 1999, #names)))) do
      known[at + i - 1] = value
    end
  end
  local first = math.min(group.first, tonumber(known[1]) or group.first)
  local last = math.max(group.last, tonumber(known[2]) or group.last)
  local said = string.format('%.0f', last)
  local set = {'first', string.format('%.0f', first), 'last', said}
  if not known[1] then set[5], set[6] = 'cause', group.cause end
  if known[3] == 'resolved' then
    for _, word in ipairs({'state', 'reopened', 'reopened_ms', said}) do set[#set + 1] = word end
  end
  local live, room = 0, nil
  for at = 4, #names do
    local field = names[at]
    local count = fields[field] or group.count
    -- What comes after so many different kinds, campaigns and the like shares a field.
    if not known[at] then room = (room or DEAD_FIELDS - redis.call('HLEN', key)) - 1 end
    if at > 5 and not known[at] and room < 0 then
      redis.call('HINCRBY', key, string.sub(field, 1, 2) .. '*', count)
    else
      local sum = (tonumber(known[at]) or 0) + count
      if field == 'live' then live = sum end
      set[#set + 1] = field
      set[#set + 1] = string.format('%d', sum)
    end
  end
  dead_many('HSET', key, set)
  return said, live
end

local function dead_groups(D, groups)
  local last, live = {}, {}
  for term, group in pairs(groups) do
    local finger = string.sub(term, 3)
    local said, count = dead_group(D, finger, group)
    last[#last + 1], live[#live + 1] = said, count
    last[#last + 1], live[#live + 1] = finger, finger
  end
  dead_many('ZADD', D .. 'groups:last', last)
  dead_many('ZADD', D .. 'groups:live', live)
end

-- Notes a letter's tokens under the string they go to, by its number: stretch * 16 + first digit.
local function dead_note(noted, number, tokens)
  local place = number % DEAD_STRETCH
  local stretch = (number - place) / DEAD_STRETCH * 16
  place = string.char(math.floor(place / 256), place % 256)
  for at = 1, #tokens, DEAD_TOKEN do
    local digit = math.floor(string.byte(tokens, at) / 16)
    local list = noted[stretch + digit]
    if not list then
      list = {}
      noted[stretch + digit] = list
    end
    list[#list + 1] = string.sub(tokens, at, at + DEAD_TOKEN - 1)
    list[#list + 1] = place
  end
end

local function dead_write_tokens(D, noted)
  for at, list in pairs(noted) do
    local key = string.format('%st:%d:%x', D, math.floor(at / 16), at % 16)
    redis.call('APPEND', key, table.concat(list))
  end
end

local function dead_add(D, letters)
  local blocks, summaries, noted, payloads, from, to = {}, {}, {}, {}, {}, {}
  local groups, counts, bytes = {}, {}, 0
  for _, letter in ipairs(letters) do
    local number, s = letter[1], cmsgpack.unpack(letter[3])
    local terms, ms, block = dead_terms(s), s[9] + s[10], math.floor(number / DEAD_BLOCK)
    local bucket = math.floor(number / DEAD_BUCKET)
    dead_place(blocks, terms, number)
    dead_note(noted, number, s[7])
    dead_push(summaries, bucket, number)
    dead_push(summaries, bucket, letter[3])
    if letter[2] then
      payloads[#payloads + 1] = number
      payloads[#payloads + 1] = letter[2]
      bytes = bytes + #letter[2]
    end
    from[block] = math.min(from[block] or ms, ms)
    to[block] = math.max(to[block] or ms, ms)
    counts[s[2]] = (counts[s[2]] or 0) + 1
    local group = dead_gather(groups, terms)
    group.cause = letter[4]
    group.first = math.min(group.first or ms, ms)
    group.last = math.max(group.last or ms, ms)
  end
  dead_flush(D, 'SADD', blocks)
  for bucket, list in pairs(summaries) do
    dead_many('HSET', dead_bucket(D, bucket * DEAD_BUCKET), list)
  end
  dead_write_tokens(D, noted)
  dead_many('HSET', D .. 'payloads', payloads)
  for block, first in pairs(from) do dead_span(D, block, first, to[block]) end
  for connection, count in pairs(counts) do redis.call('HINCRBY', D .. 'counts', connection, count) end
  redis.call('INCRBY', D .. 'bytes', bytes)
  dead_groups(D, groups)
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
