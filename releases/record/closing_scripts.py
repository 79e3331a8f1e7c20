"""The Lua scripts of locks, freezes and schedules. Each reads, decides and writes in one step.

What is to be told of a change is written with it: a notice is an entry of a list that only grows, `N7` is its
seventh, and the relay finds it among what is untold.
"""

_NOTICES = """
local function notify(log, behind, wake, first)
  for i = first, #ARGV do
    redis.call('SADD', behind, 'N' .. redis.call('RPUSH', log, ARGV[i]))
  end
  if first <= #ARGV then
    redis.call('LPUSH', wake, '1')
    redis.call('LTRIM', wake, 0, 0)
  end
end
"""

SWAP = (
    _NOTICES
    + """
-- KEYS log, behind, wake, texts...
-- ARGV how many texts; what each is expected to be ('' for none); what each becomes; notices...
local count = tonumber(ARGV[1])
for i = 1, count do
  if (redis.call('GET', KEYS[3 + i]) or '') ~= ARGV[1 + i] then return 0 end
end
for i = 1, count do
  local before, after = ARGV[1 + i], ARGV[1 + count + i]
  if after == '' and before ~= '' then
    redis.call('DEL', KEYS[3 + i])
  elseif after ~= before then
    redis.call('SET', KEYS[3 + i], after)
  end
end
notify(KEYS[1], KEYS[2], KEYS[3], 2 + 2 * count)
return 1
"""
)
"""Change texts if all of them are still what was read, and say what is to be told of it."""

SCHEDULE = (
    _NOTICES
    + """
-- KEYS log, behind, wake, schedules, done
-- ARGV id, schedule, seconds that a delivery is remembered, notices...
local before = redis.call('GET', KEYS[5])
if before then return before end
redis.call('SET', KEYS[5], ARGV[1], 'EX', ARGV[3])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
notify(KEYS[1], KEYS[2], KEYS[3], 4)
return ARGV[1]
"""
)
"""Keep a schedule, once a delivery; the id of the one that is kept."""

UNSCHEDULE = (
    _NOTICES
    + """
-- KEYS log, behind, wake, schedules
-- ARGV id, notices...
if redis.call('HDEL', KEYS[4], ARGV[1]) == 0 then return 0 end
notify(KEYS[1], KEYS[2], KEYS[3], 2)
return 1
"""
)
"""Take a schedule back, unless it is gone already."""

DUE = """
-- KEYS schedules, inbox, mark of the delivery
-- ARGV id, seconds that a delivery is remembered, kind, delivery
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[2]) then
  redis.call('XADD', KEYS[2], '*', 'kind', ARGV[3], 'payload', text, 'id', ARGV[4])
end
return 1
"""
"""Hand a schedule over to the inbox, where it is acted on as what its person typed. Once."""

ONCE = (
    _NOTICES
    + """
-- KEYS log, behind, wake, mark
-- ARGV seconds that it is remembered, notices...
if not redis.call('SET', KEYS[4], '1', 'NX', 'EX', ARGV[1]) then return 0 end
notify(KEYS[1], KEYS[2], KEYS[3], 2)
return 1
"""
)
"""Tell something once."""
