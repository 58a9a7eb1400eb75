-- Ends connect's hold; what else holds the lane back stays.
-- KEYS  1 hash: connect's hold   2 hash: the lane's state   3 the lane's hash   4 batch number counter
-- returns  1 when there was one
-- include lane_mark
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
mark_backlog(KEYS[2], KEYS[3], KEYS[4])
return 1
