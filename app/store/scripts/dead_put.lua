-- Adds dead letters that the ledger counts already.
-- KEYS  1 prefix of dead letters   2 dead number counter
-- ARGV  1 how many   then payload, summary, cause of each
-- Returns their numbers.
-- include dead_add
return dead_new(KEYS[1], KEYS[2], ARGV, 2, tonumber(ARGV[1]))
