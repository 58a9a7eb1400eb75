-- Looks whether letters stand where they should, and puts them there.
-- KEYS  1 prefix of dead letters
-- ARGV  1 number of a bucket of summaries   2 '1': mend
-- Returns {letters looked at, {number, what is wrong} ..}: "summary" it cannot be read (not mended here),
-- "payload" it is gone (nothing mends that), "index" and "tokens" (mended).
-- include dead_terms
local D, found, looked = KEYS[1], {}, 0
local read = {}
local entries = redis.call('HGETALL', D .. 's:' .. ARGV[1])

local function noted(number, s)
  for at = 1, #s[7], DEAD_TOKEN do
    local token, place = string.sub(s[7], at, at + DEAD_TOKEN - 1), number % DEAD_STRETCH
    local key = dead_tokens(D, number, token)
    local entry = token .. string.char(math.floor(place / 256), place % 256)
    read[key] = read[key] or redis.call('GET', key) or ''
    if not string.find(read[key], entry, 1, true) then
      found[#found + 1] = {number, 'tokens'}
      read[key] = read[key] .. entry
      if ARGV[2] == '1' then redis.call('APPEND', key, entry) end
    end
  end
end

local function indexed(number, s)
  local block, place, good = math.floor(number / DEAD_BLOCK), number % DEAD_BLOCK, true
  for _, term in ipairs(dead_terms(s)) do
    local key = dead_index(D, term, block)
    if redis.call('SISMEMBER', key, place) == 0 then
      good = false
      if ARGV[2] == '1' then redis.call('SADD', key, place) end
    end
  end
  local from, to = string.match(redis.call('HGET', D .. 'spans', block) or '', '^(%d+) (%d+)$')
  local ms = s[9] + s[10]
  good = good and from and tonumber(from) <= ms and ms <= tonumber(to)
    and redis.call('ZSCORE', D .. 'blocks', block)
  if good then return end
  found[#found + 1] = {number, 'index'}
  if ARGV[2] == '1' then dead_span(D, block, ms, ms) end
end

for at = 1, #entries, 2 do
  local number = tonumber(entries[at])
  local s = dead_read(D, number)
  looked = looked + 1
  if s then
    indexed(number, s)
    noted(number, s)
  else
    found[#found + 1] = {number, 'summary'}
  end
  if redis.call('HEXISTS', D .. 'payloads', number) == 0 then
    found[#found + 1] = {number, 'payload'}
  end
end
return {looked, found}
