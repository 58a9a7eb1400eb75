-- mark_backlog(state, pace, counter): a lane that nothing holds back any more remembers where its
-- backlog ends and newer batches begin (pull.lua).
local function mark_backlog(state, pace, counter)
  if redis.call('EXISTS', state) == 1 then return end
  redis.call('HSET', pace, 'mark', redis.call('GET', counter) or '0')
  redis.call('EXPIRE', pace, 86400)
end
