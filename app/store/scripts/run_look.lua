-- A worker's look at an active run: takes or keeps its lease, stops it at its bound, ends it.
-- KEYS  1 run   2 active runs   3 selection   4 places
-- ARGV  1 owner   2 lease in ms   3 run number
-- Returns {what is so now, the run's fields and values, keys of the selection's parts, places}; what:
--   'gone'       there is no such run, or it is not for workers (nothing is changed)
--   'other'      somebody else works on it, or still freezes it (nothing is changed)
--   'abandoned'  it was being frozen, and whoever did that is away: cancelled
--   'stopped'    just now, at its bound      'finished'   just now: all is put, and all is settled
--   'taken'      by this owner, just now     'mine'       as before
local run = redis.call('HGETALL', KEYS[1])
local of = {}
for i = 1, #run, 2 do of[run[i]] = run[i + 1] end
local function count(name) return tonumber(of[name] or 0) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function turn(state, reason)
  redis.call('HSET', KEYS[1], 'state', state, 'reason', reason, 'holding', '',
    'ended_ms', string.format('%.0f', now))
  redis.call('SREM', KEYS[2], ARGV[3])
  if state ~= 'stopped' then redis.call('DEL', KEYS[3], KEYS[4]) end
end

if of.state ~= 'freezing' and of.state ~= 'running' then
  redis.call('SREM', KEYS[2], ARGV[3])
  return {'gone', run, {}, {}}
end
if count('lease_until') > now and of.owner ~= ARGV[1] then return {'other', run, {}, {}} end
if of.state == 'freezing' then
  turn('cancelled', 'its selection was never complete: whoever froze it went away')
  return {'abandoned', run, {}, {}}
end

local left = redis.call('HLEN', KEYS[3])
local settled = count('delivered') + count('dead') + count('duplicates') + count('tests')
local lately, dead = settled - count('mark_settled'), count('dead') - count('mark_dead')
if left > 0 and lately >= count('stop_least') and dead > lately * tonumber(of.stop_at) then
  turn('stopped', string.format('of the last %d that were settled, %d died again', lately, dead))
  return {'stopped', run, {}, {}}
end
-- What went well long ago shall not hide what goes wrong now.
if lately >= 10 * count('stop_least') then
  redis.call('HSET', KEYS[1], 'mark_settled', settled, 'mark_dead', count('dead'))
end
if left == 0 and settled >= count('put') then
  turn('finished', '')
  return {'finished', run, {}, {}}
end
local what = of.owner == ARGV[1] and 'mine' or 'taken'
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'lease_until', string.format('%.0f', now + ARGV[2]))
return {what, run, redis.call('HKEYS', KEYS[3]), redis.call('HGETALL', KEYS[4])}
