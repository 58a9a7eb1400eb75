-- A page of dead letters: a bounded amount of work, and where to go on.
-- KEYS  1 prefix of dead letters
-- ARGV  1 '-' newest first, '+' oldest first   2 go on behind this number ('' = from the end)
--       3 letters wanted   4 work: how many sets and letters may be looked at
--       5, 6 first and last ms of death ('' = any)   7 last number of all ('' = any)
--       8 number of terms n   9 number of tokens t   10 number of fingerprints f (0 = any)
--       then n terms, t tokens, f fingerprints: all of the terms and tokens, and any of the fingerprints
-- Returns {number to go on behind, or '' when there is no more; letters looked at; numbers; their
-- summaries}.
-- include dead_terms
local D, down = KEYS[1], ARGV[1] == '-'
local behind, wanted, work = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local first, last, stop = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local at = 10
local function take(count)
  local list = {}
  for i = 1, tonumber(count) do list[i] = ARGV[at + i] end
  at = at + #list
  return list
end
local terms, tokens, fingers = take(ARGV[8]), take(ARGV[9]), take(ARGV[10])
local numbers, summaries, looked = {}, {}, 0

-- What the sets cannot say: the time, the end, and tokens.
local function fits(packed)
  if not first and not last and #tokens == 0 then return true end
  local good, s = pcall(cmsgpack.unpack, packed)
  if not good or type(s) ~= 'table' or #s < 11 then return false end
  local ms = s[9] + s[10]
  if (first and ms < first) or (last and ms > last) then return false end
  for _, token in ipairs(tokens) do
    local found = false
    for i = 1, #s[7], DEAD_TOKEN do
      found = found or string.sub(s[7], i, i + DEAD_TOKEN - 1) == token
    end
    if not found then return false end
  end
  return true
end

-- Looks at letters in order; true when the page is full.
local function look(list)
  for _, number in ipairs(list) do
    local beyond = behind and ((down and number >= behind) or (not down and number <= behind))
    if not beyond and not (stop and number > stop) then
      if #numbers == wanted then return true end
      looked = looked + 1
      local packed = redis.call('HGET', dead_bucket(D, number), number)
      if packed and fits(packed) then
        numbers[#numbers + 1] = number
        summaries[#summaries + 1] = packed
      end
    end
  end
  return false
end

local function sorted(list)
  if down then
    table.sort(list, function(a, b) return a > b end)
  else
    table.sort(list)
  end
  return list
end

local function in_block(block)
  local found, groups = {}, fingers
  if #groups == 0 then groups = {false} end
  for _, finger in ipairs(groups) do
    local sets = {}
    for i, term in ipairs(terms) do sets[i] = dead_index(D, term, block) end
    if finger then sets[#sets + 1] = dead_index(D, 'f:' .. finger, block) end
    if #sets == 0 then sets[1] = dead_index(D, 'a', block) end
    work = work - 1
    for _, place in ipairs(redis.call('SINTER', unpack(sets))) do
      found[#found + 1] = block * DEAD_BLOCK + tonumber(place)
    end
  end
  return sorted(found)
end

-- Whether letters of a block may have died in the time that is meant.
local function in_time(block)
  if not first and not last then return true end
  local from, to = string.match(redis.call('HGET', D .. 'spans', block) or '', '^(%d+) (%d+)$')
  work = work - 1
  return not from or not ((last and tonumber(from) > last) or (first and tonumber(to) < first))
end

local function answer(more)
  return {more and string.format('%d', more) or '', looked, numbers, summaries}
end

-- The letters of a stretch that have the first token, if sets and summaries agree.
local function in_stretch(stretch)
  local key = dead_tokens(D, stretch * DEAD_STRETCH, tokens[1])
  local noted, list, from = redis.call('GET', key) or '', {}, 1
  work = work - 1 - math.floor(#noted / 4096)
  while true do
    local at = string.find(noted, tokens[1], from, true)
    if not at then return sorted(list) end
    if at % (DEAD_TOKEN + 2) == 1 then
      local high, low = string.byte(noted, at + DEAD_TOKEN, at + DEAD_TOKEN + 1)
      local number, good = stretch * DEAD_STRETCH + high * 256 + low, true
      local block, place = math.floor(number / DEAD_BLOCK), number % DEAD_BLOCK
      for _, term in ipairs(terms) do
        good = good and redis.call('SISMEMBER', dead_index(D, term, block), place) == 1
      end
      local any = #fingers == 0
      for _, finger in ipairs(fingers) do
        any = any or redis.call('SISMEMBER', dead_index(D, 'f:' .. finger, block), place) == 1
      end
      if good and any then list[#list + 1] = number end
      work = work - 1
    end
    from = at + 1
  end
end

local range = {'ZRANGE', D .. 'blocks', '-inf', '+inf', 'BYSCORE', 'LIMIT', 0, work}
if down then
  range = {'ZRANGE', D .. 'blocks', '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, work}
end
if behind then range[3] = math.floor(behind / DEAD_BLOCK) end
local blocks = redis.call(unpack(range))
local wide, stretch = DEAD_STRETCH / DEAD_BLOCK, nil
for i, block in ipairs(blocks) do
  block = tonumber(block)
  if not down and stop and block * DEAD_BLOCK > stop then return answer(nil) end
  local list = nil
  if #tokens > 0 then
    if math.floor(block / wide) ~= stretch then
      stretch = math.floor(block / wide)
      list = in_stretch(stretch)
    end
  elseif in_time(block) then
    list = in_block(block)
  end
  if list and look(list) then return answer(numbers[#numbers]) end
  if work - looked <= 0 and i < #blocks then
    if #tokens > 0 then block = down and stretch * wide or stretch * wide + wide - 1 end
    return answer(down and block * DEAD_BLOCK or block * DEAD_BLOCK + DEAD_BLOCK - 1)
  end
end
if #blocks == tonumber(ARGV[4]) then
  local block = tonumber(blocks[#blocks])
  return answer(down and block * DEAD_BLOCK or block * DEAD_BLOCK + DEAD_BLOCK - 1)
end
return answer(nil)
