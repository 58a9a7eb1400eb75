-- dead_remove(D, numbers): takes dead letters away, payload, index and edit together.
-- Returns the numbers of those that were there.
-- include dead_terms
local function dead_drop_token(D, token, number, sets)
  local key, field = dead_token(D, token)
  local known = redis.call('HGET', key, field)
  if not known then return end
  if known == '*' then
    local block = math.floor(number / DEAD_BLOCK)
    dead_push(sets, dead_index(D, 't' .. dead_hex(token), block), number % DEAD_BLOCK)
    return
  end
  local left = {}
  for at = 1, #known, 5 do
    if struct.unpack('>I5', known, at) ~= number then left[#left + 1] = string.sub(known, at, at + 4) end
  end
  if #left == 0 then
    redis.call('HDEL', key, field)
  else
    redis.call('HSET', key, field, table.concat(left))
  end
end

local function dead_untally(D, finger, group)
  local key = D .. 'group:' .. finger
  if redis.call('EXISTS', key) == 0 then return end
  for field, count in pairs(group.fields) do
    if redis.call('HEXISTS', key, field) == 0 then field = string.sub(field, 1, 2) .. '*' end
    if redis.call('HINCRBY', key, field, -count) <= 0 then redis.call('HDEL', key, field) end
  end
  redis.call('ZADD', D .. 'groups:live', redis.call('HINCRBY', key, 'live', -group.count), finger)
end

local function dead_remove(D, numbers)
  local sets, blocks, groups, counts, gone, bytes = {}, {}, {}, {}, {}, 0
  for _, number in ipairs(numbers) do
    number = tonumber(number)
    local s = dead_read(D, number)
    if s then
      redis.call('HDEL', dead_bucket(D, number), number)
      local block, terms = math.floor(number / DEAD_BLOCK), dead_terms(s)
      for _, term in ipairs(terms) do
        dead_push(sets, dead_index(D, term, block), number % DEAD_BLOCK)
      end
      for at = 1, #s[7], DEAD_TOKEN do
        dead_drop_token(D, string.sub(s[7], at, at + DEAD_TOKEN - 1), number, sets)
      end
      gone[#gone + 1] = number
      blocks[block] = true
      bytes = bytes + redis.call('HSTRLEN', D .. 'payloads', number)
      counts[s[2]] = (counts[s[2]] or 0) + 1
      dead_gather(groups, terms)
    end
  end
  if #gone == 0 then return gone end
  for key, places in pairs(sets) do dead_many('SREM', key, places) end
  dead_many('HDEL', D .. 'payloads', gone)
  dead_many('HDEL', D .. 'edits', gone)
  redis.call('DECRBY', D .. 'bytes', bytes)
  for block in pairs(blocks) do
    if redis.call('EXISTS', dead_index(D, 'a', block)) == 0 then
      redis.call('ZREM', D .. 'blocks', block)
      redis.call('HDEL', D .. 'spans', block)
    end
  end
  for connection, count in pairs(counts) do
    if redis.call('HINCRBY', D .. 'counts', connection, -count) <= 0 then
      redis.call('HDEL', D .. 'counts', connection)
    end
  end
  for finger, group in pairs(groups) do dead_untally(D, finger, group) end
  return gone
end
