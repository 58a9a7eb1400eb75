-- dead_remove(D, numbers): takes dead letters away, payload, index and edit together.
-- Returns the numbers of those that were there.
-- include dead_terms
local function dead_untally(D, term, group)
  local finger = string.sub(term, 3)
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
      local payload = redis.call('HGET', D .. 'payloads', number) or ''
      bytes = bytes + #payload
      if string.byte(payload) == 2 then
        local good, place = pcall(cmsgpack.unpack, string.sub(payload, 2))
        if good then redis.call('HINCRBY', D .. 'files', place[1], -1) end
      end
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
  for term, group in pairs(groups) do dead_untally(D, term, group) end
  return gone
end
