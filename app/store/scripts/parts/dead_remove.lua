-- dead_remove(D, numbers): takes dead letters away, payload, index and edit together.
-- Returns the numbers of those that were there.
-- include dead_terms
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
  local blocks, groups, counts, gone, bytes = {}, {}, {}, {}, 0
  for _, number in ipairs(numbers) do
    number = tonumber(number)
    local s = dead_read(D, number)
    if s then
      redis.call('HDEL', dead_bucket(D, number), number)
      local terms = dead_terms(s)
      dead_place(blocks, terms, number)
      gone[#gone + 1] = number
      bytes = bytes + redis.call('HSTRLEN', D .. 'payloads', number)
      counts[s[2]] = (counts[s[2]] or 0) + 1
      dead_gather(groups, terms)
    end
  end
  if #gone == 0 then return gone end
  dead_flush(D, 'SREM', blocks)
  dead_many('HDEL', D .. 'payloads', gone)
  dead_many('HDEL', D .. 'edits', gone)
  redis.call('DECRBY', D .. 'bytes', bytes)
  for block in pairs(blocks) do dead_close(D, block) end
  for connection, count in pairs(counts) do
    if redis.call('HINCRBY', D .. 'counts', connection, -count) <= 0 then
      redis.call('HDEL', D .. 'counts', connection)
    end
  end
  for finger, group in pairs(groups) do dead_untally(D, finger, group) end
  return gone
end
