-- Where a dead letter is found. All keys begin with the prefix D, "sluice:dead:" (keys.py).
--   D payloads        hash    number -> payload, or where it was spilled to
--   D s:{bucket}      hash    number -> summary (codec.py); a bucket is 128 numbers, so the hash stays
--                             in its small form
--   D i:{term}:{block} set    places in the block (number % 512) of the letters with that term: small
--                             integers, at most 512, so 2 bytes each (intset). Terms: "a" all, "n:.."
--                             connection, "c:.." class, "f:.." fingerprint, "k:.." kind, "g:.."
--                             campaign, "v:.." mapping version, "r:.." replay run that it died in again
--   D t:{stretch}:{0-f} string  tokens of 16,384 numbers with that first digit, as they came: 6 bytes, and
--                             2 for the place in the stretch. What they say of letters that are gone
--                             stays until all of the stretch are
--   D blocks          sorted  block -> block: those that have letters
--   D spans           hash    block -> "first last" ms of death
--   D counts          hash    connection -> letters
--   D bytes           string  bytes of all payloads
--   D group:{finger}  hash    cause, first, last (ms), ever, live, state, note ..; letters per kind
--                             "k:..", connection "n:..", campaign "g:..", version "v:.."
--   D groups:last     sorted  fingerprint -> ms of the last death
--   D groups:live     sorted  fingerprint -> letters
--   D edits           hash    number -> edit
--   D files           hash    number of a spill file -> letters in it
-- A block's sets intersect by themselves, so a page of any combination of terms is a few SINTERs.
local DEAD_BLOCK, DEAD_BUCKET, DEAD_STRETCH, DEAD_TOKEN = 512, 128, 16384, 6

local dead_hex_known = {}
local function dead_hex(bytes)
  local found = dead_hex_known[bytes]
  if not found then
    found = string.format(string.rep('%02x', #bytes), string.byte(bytes, 1, #bytes))
    dead_hex_known[bytes] = found
  end
  return found
end

local function dead_index(D, term, block)
  if #term > 72 then term = string.sub(term, 1, 1) .. redis.sha1hex(term) end
  return D .. 'i:' .. term .. ':' .. string.format('%d', block)
end

local function dead_bucket(D, number)
  return D .. 's:' .. string.format('%d', math.floor(number / DEAD_BUCKET))
end

-- The unpacked summary of a letter; nil when there is none, or one that nobody can read.
local function dead_read(D, number)
  local packed = redis.call('HGET', dead_bucket(D, number), number)
  if not packed then return nil end
  local good, s = pcall(cmsgpack.unpack, packed)
  if good and type(s) == 'table' and #s >= 11 then return s end
  return nil
end

-- A text with "k:" before it: the same few are made again and again, and memory is what costs.
local dead_made = {a = {}, n = {}, c = {}, f = {}, k = {}, v = {}, g = {}, r = {}}
local function dead_term(letter, value)
  local made = dead_made[letter]
  local term = made[value]
  if not term then
    term = letter .. ':' .. value
    made[value] = term
  end
  return term
end

-- The terms of an unpacked summary.
local function dead_terms(s)
  local terms = {
    'a', dead_term('n', s[2]), dead_term('c', s[3]), dead_term('f', dead_hex(s[1])),
    dead_term('k', s[4]), dead_term('v', s[6]),
  }
  if s[5] ~= '' then terms[7] = dead_term('g', s[5]) end
  if s[14] and s[14] > 0 then terms[#terms + 1] = dead_term('r', string.format('%d', s[14])) end
  return terms
end

-- Where a token of a number is noted.
local function dead_tokens(D, number, token)
  local stretch = math.floor(number / DEAD_STRETCH)
  return string.format('%st:%d:%x', D, stretch, math.floor(string.byte(token) / 16))
end

-- A command with as many arguments as it takes: Lua can pass on some 7,000 at a time.
local function dead_many(command, key, list)
  for at = 1, #list, 2000 do
    redis.call(command, key, unpack(list, at, math.min(at + 1999, #list)))
  end
end

local function dead_push(lists, key, value)
  local list = lists[key]
  if list then list[#list + 1] = value else lists[key] = {value} end
end

-- Notes a letter's place under its terms; dead_flush then runs the command for each set.
local function dead_place(blocks, terms, number)
  local place = number % DEAD_BLOCK
  local block = (number - place) / DEAD_BLOCK
  local sets = blocks[block]
  if not sets then
    sets = {}
    blocks[block] = sets
  end
  for at = 1, #terms do
    local list = sets[terms[at]]
    if list then list[#list + 1] = place else sets[terms[at]] = {place} end
  end
end

local function dead_flush(D, command, blocks)
  for block, sets in pairs(blocks) do
    for term, places in pairs(sets) do
      redis.call(command, dead_index(D, term, block), unpack(places))
    end
  end
end

-- Counts a letter with these terms for its group: the terms are fields of its hash.
local function dead_gather(groups, terms)
  local group = groups[terms[4]]
  if not group then
    group = {count = 0, fields = {}}
    groups[terms[4]] = group
  end
  group.count = group.count + 1
  local counts = group.fields
  counts[terms[2]] = (counts[terms[2]] or 0) + 1
  counts[terms[5]] = (counts[terms[5]] or 0) + 1
  counts[terms[6]] = (counts[terms[6]] or 0) + 1
  local campaign = terms[7]
  if campaign and string.byte(campaign) == 103 then counts[campaign] = (counts[campaign] or 0) + 1 end
  return group
end

-- A block has letters that died in this time.
local function dead_span(D, block, first, last)
  redis.call('ZADD', D .. 'blocks', block, block)
  local from, to = string.match(redis.call('HGET', D .. 'spans', block) or '', '^(%d+) (%d+)$')
  if from then first, last = math.min(first, from), math.max(last, to) end
  redis.call('HSET', D .. 'spans', block, string.format('%.0f %.0f', first, last))
end

-- Forgets a block without letters, and its stretch with the last block of it.
local function dead_close(D, block)
  if redis.call('EXISTS', dead_index(D, 'a', block)) == 1 then return end
  redis.call('ZREM', D .. 'blocks', block)
  redis.call('HDEL', D .. 'spans', block)
  local wide = DEAD_STRETCH / DEAD_BLOCK
  local stretch = math.floor(block / wide)
  if redis.call('ZCOUNT', D .. 'blocks', stretch * wide, stretch * wide + wide - 1) > 0 then return end
  for digit = 0, 15 do redis.call('DEL', string.format('%st:%d:%x', D, stretch, digit)) end
end
