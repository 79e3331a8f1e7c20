"""The record's Lua scripts. Each reads, decides and writes in one step.

An environment's hash has `release` (who holds it), `epoch` (only ever grows), `writer` and `until` (the
worker that is at work and until when its lease holds, in Redis' own milliseconds), and `unfenced` while what
an earlier writer had sent to the cluster may still arrive there.
"""

_NOW = """
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
"""

_TELL = """
local function tell(behind, wake, who)
  redis.call('SADD', behind, who)
  redis.call('LPUSH', wake, '1')
  redis.call('LTRIM', wake, 0, 0)
end
"""

OPEN = (
    _TELL
    + """
-- KEYS done, environment, counter, behind, wake, active, releases of the environment, installation, opened
-- ARGV prefix of release keys, environment, event, seconds that a delivery is remembered,
--      counter, installation and last opening's hash from which the event's hash was made, its hash
local before = redis.call('GET', KEYS[1])
if before then return {'again', before} end
local holder = redis.call('HGET', KEYS[2], 'release')
if holder then return {'busy', holder} end
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[5] or redis.call('GET', KEYS[8]) ~= ARGV[6]
  or (redis.call('GET', KEYS[9]) or '') ~= ARGV[7] then
  return {'moved'}
end
local id = 'R' .. redis.call('INCR', KEYS[3])
local epoch = redis.call('HINCRBY', KEYS[2], 'epoch', 1)
redis.call('HSET', KEYS[2], 'release', id)
redis.call('HDEL', KEYS[2], 'writer', 'until')
redis.call('SET', ARGV[1] .. id .. ':environment', ARGV[2])
redis.call('RPUSH', ARGV[1] .. id .. ':events', ARGV[3])
redis.call('RPUSH', KEYS[7], id)
redis.call('SET', KEYS[9], ARGV[8])
redis.call('SADD', KEYS[6], id)
redis.call('SET', KEYS[1], id, 'EX', ARGV[4])
tell(KEYS[4], KEYS[5], id)
return {'opened', id, epoch}
"""
)
"""Take the environment for a new release and write its first event; once a delivery.

Redis knows no SHA-256, so the id is guessed before: moved when another release was opened meanwhile."""

APPEND = (
    _TELL
    + """
-- KEYS events, environment, behind, wake, active, due to ledgers
-- ARGV release, expected position, epoch, '1' to let the environment go, expected last hash,
--      the environment whose ledger should know (or nothing), events...
if redis.call('HGET', KEYS[2], 'release') ~= ARGV[1] or redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[3] then
  return {'stale'}
end
local length = redis.call('LLEN', KEYS[1])
if length ~= tonumber(ARGV[2]) then return {'moved', length} end
local last = redis.call('LINDEX', KEYS[1], -1)
if last and string.sub(last, 1, 1) ~= '{' and string.sub(last, 1, 64) ~= ARGV[5] then
  return {'moved', length}
end
for i = 7, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
if ARGV[6] ~= '' then redis.call('HINCRBY', KEYS[6], ARGV[6], 1) end
if ARGV[4] == '1' then
  redis.call('HDEL', KEYS[2], 'release', 'writer', 'until')
  redis.call('SREM', KEYS[5], ARGV[1])
end
tell(KEYS[3], KEYS[4], ARGV[1])
return {'ok', redis.call('LLEN', KEYS[1])}
"""
)
"""Write events behind the expected position and hash, under the epoch that was read with it."""

TAKE_UP = (
    _TELL
    + """
-- KEYS events, environment, behind, wake, active, due to ledgers, releases of the environment
-- ARGV release, expected position, expected last hash, the environment whose ledger should know (or nothing),
--      events...
local holder = redis.call('HGET', KEYS[2], 'release')
if holder then return {'busy', holder} end
local length = redis.call('LLEN', KEYS[1])
if length ~= tonumber(ARGV[2]) or redis.call('LINDEX', KEYS[7], -1) ~= ARGV[1] then
  return {'moved', length}
end
local last = redis.call('LINDEX', KEYS[1], -1)
if last and string.sub(last, 1, 1) ~= '{' and string.sub(last, 1, 64) ~= ARGV[3] then
  return {'moved', length}
end
for i = 5, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
if ARGV[4] ~= '' then redis.call('HINCRBY', KEYS[6], ARGV[4], 1) end
local epoch = redis.call('HINCRBY', KEYS[2], 'epoch', 1)
redis.call('HSET', KEYS[2], 'release', ARGV[1])
redis.call('HDEL', KEYS[2], 'writer', 'until')
redis.call('SADD', KEYS[5], ARGV[1])
tell(KEYS[3], KEYS[4], ARGV[1])
return {'ok', epoch}
"""
)
"""Let a release that has ended hold its environment again, if that is free and nobody has asked for another
since, and write the events that say so."""

LOAD = """
-- KEYS events, environment of the release
-- ARGV release, prefix of environment keys
local name = redis.call('GET', KEYS[2])
if not name then return {} end
local held = redis.call('HMGET', ARGV[2] .. name, 'release', 'epoch')
local epoch = (held[1] == ARGV[1]) and held[2] or '0'
return {epoch, redis.call('LRANGE', KEYS[1], 0, -1)}
"""
"""A release's events and, if it holds its environment, the epoch: both of one moment."""

TAKE = (
    _NOW
    + """
-- KEYS environment
-- ARGV release, writer, milliseconds
if redis.call('HGET', KEYS[1], 'release') ~= ARGV[1] then return {'stale'} end
local writer = redis.call('HGET', KEYS[1], 'writer')
local now = now_ms()
if writer and writer ~= ARGV[2] and tonumber(redis.call('HGET', KEYS[1], 'until')) > now then
  return {'taken', writer}
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
if writer and writer ~= ARGV[2] then redis.call('HSET', KEYS[1], 'unfenced', '1') end
redis.call('HSET', KEYS[1], 'writer', ARGV[2], 'until', now + tonumber(ARGV[3]))
return {'ok', epoch, writer or '', redis.call('HGET', KEYS[1], 'unfenced') or ''}
"""
)
"""Become the writer of a release whose writer is gone or has never been."""

RENEW = (
    _NOW
    + """
-- KEYS environment
-- ARGV epoch, writer, milliseconds (0: let go)
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'writer') ~= ARGV[2] then
  return 0
end
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], 'writer', 'until')
else
  redis.call('HSET', KEYS[1], 'until', now_ms() + tonumber(ARGV[3]))
end
return 1
"""
)
"""Keep a writer's lease, or let it go."""

FENCE = """
-- KEYS environment
-- ARGV epoch, writer, '1' (something may still be under way) or '0' (nothing can any more)
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'writer') ~= ARGV[2] then
  return 0
end
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], 'unfenced')
else
  redis.call('HSET', KEYS[1], 'unfenced', '1')
end
return 1
"""
"""Remember whether a write to the cluster may still be under way; it outlives the release."""

BURY = """
-- KEYS environment
-- ARGV release, beginning of the writer's name
if redis.call('HGET', KEYS[1], 'release') ~= ARGV[1] then return 0 end
local writer = redis.call('HGET', KEYS[1], 'writer')
if not writer or string.sub(writer, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'until', 0)
return 1
"""
"""End the lease of a writer that is known to be dead; its name stays, so that its end is noticed."""

IDLE = (
    _NOW
    + """
-- KEYS active
-- ARGV prefix of release keys, prefix of environment keys
local idle = {}
local now = now_ms()
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local name = redis.call('GET', ARGV[1] .. id .. ':environment')
  if name then
    local untill = redis.call('HGET', ARGV[2] .. name, 'until')
    if not untill or tonumber(untill) <= now then idle[#idle + 1] = id end
  end
end
return idle
"""
)
"""The releases that hold an environment and have no writer whose lease still holds."""

CAUGHT_UP = """
-- KEYS events, behind
-- ARGV release, position that was told
if redis.call('LLEN', KEYS[1]) == tonumber(ARGV[2]) then redis.call('SREM', KEYS[2], ARGV[1]) return 1 end
return 0
"""
"""Take a release off the list of those whose news are untold, unless there is news again."""

DELIVER = (
    _NOW
    + """
-- KEYS inbox, mark of the delivery
-- ARGV not after (ms), seconds that a delivery is remembered, kind, payload
if now_ms() > tonumber(ARGV[1]) then return 'late' end
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[2]) then return 'again' end
redis.call('XADD', KEYS[1], '*', 'kind', ARGV[3], 'payload', ARGV[4], 'id', ARGV[5])
return 'recorded'
"""
)
"""Record a delivery once, and only while the person who made it is still being told that it was."""

DONE = """
-- KEYS inbox
-- ARGV group, entry
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
"""
"""Forget a delivery that was acted on: one that is acknowledged and still there nobody would ever remove."""

ANSWER = (
    _TELL
    + """
-- KEYS answer, behind, wake
-- ARGV question, answer, seconds that it is kept
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
tell(KEYS[2], KEYS[3], ARGV[1])
return 1
"""
)
"""Keep an answer and put its question on the list of what is untold."""

LEAD = """
-- KEYS relay
-- ARGV who, milliseconds (0: step down)
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
"""
"""Become, or stay, the relay that leads; or let go of it."""

NOTE = """
-- KEYS relay, what was told of a subject
-- ARGV who, seconds that it is kept, names and values...
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[i])
  else
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""
"""Remember what was told, if it is still this relay that tells."""

LOOKED_AT = (
    _NOW
    + """
-- KEYS homes, wake, notice
-- ARGV user, milliseconds that an opening counts, most homes, notice, seconds that it stands
local now = now_ms()
local last = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '0')
redis.call('ZADD', KEYS[1], math.max(now, last + 1), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
if ARGV[4] == '' then
  redis.call('DEL', KEYS[3])
else
  redis.call('SET', KEYS[3], ARGV[4], 'EX', ARGV[5])
end
redis.call('LPUSH', KEYS[2], '1')
redis.call('LTRIM', KEYS[2], 0, 0)
return 1
"""
)
"""Note that a home is looked at now, and what is to be said there. Each time counts as a later one."""

VIEWERS = """
-- KEYS homes
-- ARGV the earliest opening that counts, prefix of the notices
local found = {}
local users = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', ARGV[1], 'WITHSCORES')
for i = 1, #users, 2 do
  found[#found + 1] = users[i]
  found[#found + 1] = users[i + 1]
  found[#found + 1] = redis.call('GET', ARGV[2] .. users[i]) or ''
end
return found
"""
"""Whose homes are kept up to date, the latest first, with what is to be said there."""
