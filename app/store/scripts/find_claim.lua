-- Who claimed an event id. See claim.lua for how claims lie in Redis.
-- ARGV  1 key prefix   2 slot   3 rest of the id
-- Returns the batch number, or false.
local slot = ARGV[1] .. ARGV[2] .. ':'
local ranges = redis.call('GET', slot .. 'r') or ''
local bucket = 0
for i = 1, #ranges, 8 do
  -- Byte by byte: strings are not compared, Redis lets the locale order them.
  local before = false
  for j = 0, 5 do
    local own, first = string.byte(ARGV[3], j + 1), string.byte(ranges, i + j)
    if own ~= first then
      before = own < first
      break
    end
  end
  if before then break end
  local a, b = string.byte(ranges, i + 6, i + 7)
  bucket = a * 256 + b
end
return redis.call('HGET', slot .. bucket, ARGV[3])
