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

-- What sets were not asked: the time, and with a token, everything.
local function fits(packed)
  if not first and not last and #tokens == 0 then return true end
  local good, s = pcall(cmsgpack.unpack, packed)
  if not good or type(s) ~= 'table' or #s < 11 then return false end
  local ms = s[9] + s[10]
  if (first and ms < first) or (last and ms > last) then return false end
  if #tokens == 0 then return true end
  local has, any = {}, #fingers == 0
  for _, term in ipairs(dead_terms(s)) do has[term] = true end
  for i = 1, #s[7], DEAD_TOKEN do has[string.sub(s[7], i, i + DEAD_TOKEN - 1)] = true end
  for _, term in ipairs(terms) do if not has[term] then return false end end
  for _, token in ipairs(tokens) do if not has[token] then return false end end
  for _, finger in ipairs(fingers) do any = any or has['f:' .. finger] end
  return any
end

local function beyond(number)
  return (behind and (down and number >= behind or not down and number <= behind))
    or (stop and number > stop)
end

-- Looks at letters in order; true when that is enough for a page, or for Redis. `seen`: the last.
local most, seen = work, nil
local function look(list)
  for _, number in ipairs(list) do
    if not beyond(number) then
      if #numbers == wanted or looked == most then return true end
      looked, seen = looked + 1, number
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
    work = work - #sets
    for _, place in ipairs(redis.call('SINTER', unpack(sets))) do
      found[#found + 1] = block * DEAD_BLOCK + tonumber(place)
    end
  end
  return sorted(found)
end

-- Whether letters of a block may have died in the time that is meant.
local function in_time(span)
  local from, to = string.match(span or '', '^(%d+) (%d+)$')
  return not from or not ((last and tonumber(from) > last) or (first and tonumber(to) < first))
end

local function answer(more)
  return {more and string.format('%d', more) or '', looked, numbers, summaries}
end

-- The letters of a stretch that may have the first token.
local function in_stretch(stretch)
  local noted = redis.call('GET', dead_tokens(D, stretch * DEAD_STRETCH, tokens[1])) or ''
  local list, from = {}, 1
  work = work - 1 - math.floor(#noted / 4096)
  while true do
    local at = string.find(noted, tokens[1], from, true)
    if not at then return sorted(list) end
    if at % (DEAD_TOKEN + 2) == 1 then
      local high, low = string.byte(noted, at + DEAD_TOKEN, at + DEAD_TOKEN + 1)
      list[#list + 1] = stretch * DEAD_STRETCH + high * 256 + low
    end
    from = at + 1
  end
end

-- The next blocks in order, from one on, and when their letters died, if that matters.
local function blocks_from(block)
  local range = {'ZRANGE', D .. 'blocks', block, '+inf', 'BYSCORE', 'LIMIT', 0, 64}
  if down then range = {'ZRANGE', D .. 'blocks', block, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 64} end
  local blocks = redis.call(unpack(range))
  if #blocks == 0 or not (first or last) then return blocks, {} end
  return blocks, redis.call('HMGET', D .. 'spans', unpack(blocks))
end

local wide, stretch = DEAD_STRETCH / DEAD_BLOCK, nil
local from = down and '+inf' or '-inf'
if behind then
  if down and behind <= 0 then return answer(nil) end
  from = math.floor((behind + (down and -1 or 1)) / DEAD_BLOCK)
end
while true do
  local blocks, spans = blocks_from(from)
  for i, block in ipairs(blocks) do
    block = tonumber(block)
    if not down and stop and block * DEAD_BLOCK > stop then return answer(nil) end
    local list = nil
    work = work - 1
    if #tokens > 0 then
      if math.floor(block / wide) ~= stretch then
        stretch = math.floor(block / wide)
        list = in_stretch(stretch)
      end
    elseif in_time(spans[i]) then
      list = in_block(block)
    end
    if list and look(list) then return answer(seen) end
    if work - looked <= 0 then
      if #tokens > 0 then block = down and stretch * wide or stretch * wide + wide - 1 end
      return answer(down and block * DEAD_BLOCK or block * DEAD_BLOCK + DEAD_BLOCK - 1)
    end
  end
  if #blocks < 64 then return answer(nil) end
  from = tonumber(blocks[64]) + (down and -1 or 1)
  if from < 0 then return answer(nil) end
end
