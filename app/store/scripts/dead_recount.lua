-- Counts letters by their indexes, and compares with what is kept.
-- KEYS  1 prefix of dead letters
-- ARGV  1 fingerprint, '' for a connection's count   2 field of the group ("live", "k:email.sent"), or
--       the connection   3 '1': mend
-- Returns {kept, counted}.
-- include dead_terms
local D, finger, field = KEYS[1], ARGV[1], ARGV[2]
local key, terms = D .. 'group:' .. finger, {'f:' .. finger}
if finger == '' then
  key, terms = D .. 'counts', {'n:' .. field}
elseif field ~= 'live' then
  terms[2] = field
end
local counted = 0
for _, block in ipairs(redis.call('ZRANGE', D .. 'blocks', 0, -1)) do
  block = tonumber(block)
  if terms[2] then
    counted = counted + #redis.call('SINTER', dead_index(D, terms[1], block),
      dead_index(D, terms[2], block))
  else
    counted = counted + redis.call('SCARD', dead_index(D, terms[1], block))
  end
end
local kept = tonumber(redis.call('HGET', key, field)) or 0
if kept ~= counted and ARGV[3] == '1' then
  if counted == 0 and field ~= 'live' then
    redis.call('HDEL', key, field)
  else
    redis.call('HSET', key, field, counted)
  end
  if field == 'live' then redis.call('ZADD', D .. 'groups:live', counted, finger) end
end
return {kept, counted}
