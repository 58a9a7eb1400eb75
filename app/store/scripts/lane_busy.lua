-- How many batches of a lane are in work: what is sent of them may still be booked as delivered.
-- A lease that ran out is taken from whoever forgot it: should that worker wake up and send, it can
-- book nothing, and the batch is sent again.
-- KEYS  1 held   ARGV  1 how the connection's batch ids begin
-- returns  the number
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local all = redis.call('HGETALL', KEYS[1])
local busy = 0
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[1]) == ARGV[1] then
    local owner, till, takes = string.match(all[i + 1], '^(%S+) (%d+) (%d+)$')
    if owner and owner ~= '-' then
      if tonumber(till) > now then
        busy = busy + 1
      else
        redis.call('HSET', KEYS[1], all[i], string.format('- 0 %d', takes))
      end
    end
  end
end
return busy
