-- Who claimed an event id.
-- ARGV  1 key prefix   2 slot   3 rest of the id   4 ids a bucket is meant to hold
-- Returns the batch number, or false.
local slot = ARGV[1] .. ARGV[2] .. ':'
local buckets = math.max(1, math.ceil((redis.call('HGET', slot .. '0', 'n') or 0) / ARGV[4]))
local size = 1
while size * 2 <= buckets do size = size * 2 end
local a, b, c, d = string.byte(ARGV[3], -4, -1)
local number = ((a * 256 + b) * 256 + c) * 256 + d
local bucket = number % (size * 2)
if bucket >= buckets then bucket = number % size end
return redis.call('HGET', slot .. bucket, ARGV[3])
