-- Leases a worker a small part of what a lane and its organization may send: messages and requests.
-- Four buckets (GCRA), each kept as the time at which it is empty again; the organization's two are
-- charged at the asker's own limits, so lanes with different limits share the second, not the sum.
-- KEYS  1 the organization's hash: m, r   2 the lane's hash: m, r, last, peak, low, grown, streak,
--       version   3 sorted set: who leases from the organization, by when
--       4 sorted set: who waits for the organization's limits, by since when (ms): the first in this
--       line is served before all others, so that no lane takes everything
-- ARGV  1 asker   2 version of the pace it computed its rates from
--       3 messages wanted   4 the fewest of use   5 requests wanted
--       6, 7 messages/s and requests/s of the organization   8, 9 those of the lane
--       10 window in ms: a bucket's size, and the most that all askers together are ahead
-- Returns {peak, low, grown, streak, version, messages, requests, ms until it is worth asking again,
--          askers}. Nothing is leased when the pace has changed meanwhile (ms is 0 then).
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local window = ARGV[10] * 1000
local HOLD_MOST = 10000000
local pace = redis.call('HMGET', KEYS[2], 'peak', 'low', 'grown', 'streak', 'version', 'm', 'r', 'last')
local grown = tonumber(pace[3] or 0)

redis.call('ZADD', KEYS[3], clock[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', clock[1] - 3)
redis.call('ZREMRANGEBYSCORE', KEYS[3], clock[1] + 3, '+inf') -- by a clock that was set back since
local askers = redis.call('ZCARD', KEYS[3])

local function answer(messages, requests, wait)
  return {pace[1] or '0', pace[2] or '0', string.format('%.6f', grown), pace[4] or '0',
    pace[5] or '0', string.format('%.3f', messages), string.format('%.3f', requests),
    math.ceil(wait * 1000), askers}
end
if tonumber(pace[5] or 0) ~= tonumber(ARGV[2]) then return answer(0, 0, 0) end

local shared = redis.call('HMGET', KEYS[1], 'm', 'r')
local function bucket(key, field, empty_at, rate)
  local till = math.max(tonumber(empty_at or 0), now)
  local size = math.max(rate * window / 1000000, 1)
  -- Further ahead than a full bucket and the longest hold (app/core/lane/pace.py): the clock was
  -- set back since.
  if till - now > size * 1000000 / rate + HOLD_MOST then till = now end
  return {key = key, field = field, rate = rate, till = till, size = size,
    free = size - (till - now) * rate / 1000000}
end
local messages = {bucket(KEYS[1], 'm', shared[1], tonumber(ARGV[6])),
  bucket(KEYS[2], 'm', pace[6], tonumber(ARGV[8]))}
local requests = {bucket(KEYS[1], 'r', shared[2], tonumber(ARGV[7])),
  bucket(KEYS[2], 'r', pace[7], tonumber(ARGV[9]))}

local function grant(buckets, wanted, least)
  local given, wait = wanted, 0
  for _, b in ipairs(buckets) do
    local needed = math.min(least, b.size)
    if b.free < needed then wait = math.max(wait, (needed - b.free) / b.rate) end
    given = math.min(given, b.free, math.max(needed, b.size / askers))
  end
  return given, wait
end
local m, wait_m = grant(messages, tonumber(ARGV[3]), tonumber(ARGV[4]))
local r, wait_r = grant(requests, tonumber(ARGV[5]), 1)
local wait = math.max(wait_m, wait_r)

-- Who does not come for a second has no place any more: it may be dead.
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now / 1000 - 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[4], now / 1000 + 1000, '+inf')
local short = messages[1].free < math.min(tonumber(ARGV[4]), messages[1].size)
  or requests[1].free < 1
local first = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
if short or (first and first ~= ARGV[1]) then
  redis.call('ZADD', KEYS[4], 'NX', string.format('%.0f', now / 1000), ARGV[1])
  redis.call('EXPIRE', KEYS[4], 60)
  return answer(0, 0, math.max(wait, 0.01))
end
if wait > 0 then return answer(0, 0, wait) end
if first then redis.call('ZREM', KEYS[4], ARGV[1]) end

-- For how long since the last lease was the lane's rate in use? For as long as that lease took to be
-- paid off, if it left less than half of a bucket; the half is RFC 7661's, section 4.3. The lane's
-- curve moves on by it (app/core/lane/pace.py).
local last = tonumber(pace[8] or now)
local function used(b, empty_at)
  local till = tonumber(empty_at or 0)
  if (till - last) * b.rate * 2 <= b.size * 1000000 then return 0 end
  return math.min(now, till) - last
end
local in_use = math.max(0, used(messages[2], pace[6]), used(requests[2], pace[7]))
grown = grown + in_use / 1000000
redis.call('HSET', KEYS[2], 'grown', string.format('%.6f', grown), 'last', string.format('%.0f', now))
redis.call('EXPIRE', KEYS[2], 86400)

local function charge(buckets, units)
  for _, b in ipairs(buckets) do
    redis.call('HSET', b.key, b.field, string.format('%.0f', b.till + units * 1000000 / b.rate))
  end
end
charge(messages, m)
charge(requests, r)
redis.call('EXPIRE', KEYS[1], 3600)
redis.call('EXPIRE', KEYS[3], 3600)
return answer(m, r, 0)
