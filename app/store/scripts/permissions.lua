-- Which commands the user may not give. Nothing is run.
-- KEYS  none (a command's keys stand among its words)
-- ARGV  commands, each as one text: its words with a blank between them
-- Returns those that the user of this connection lacks.
local missing = {}
for _, text in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
  if not redis.acl_check_cmd(unpack(words)) then missing[#missing + 1] = text end
end
return missing
