"""The Lua scripts of reading the record as a whole, and of putting back one that was lost."""

READ = """
-- KEYS events, environment of the release
-- ARGV release, prefix of environment keys
local name = redis.call('GET', KEYS[2])
if not name then return {} end
local holds = redis.call('HGET', ARGV[2] .. name, 'release') == ARGV[1]
return {name, holds and 1 or 0, redis.call('LRANGE', KEYS[1], 0, -1)}
"""
"""A release's environment, whether it holds it, and its events: all of one moment."""

POSITIONS = """
-- KEYS releases of the environment
-- ARGV how many, prefix of release keys
local found = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], -ARGV[1], -1)) do
  found[#found + 1] = {id, redis.call('LLEN', ARGV[2] .. id .. ':events')}
end
return found
"""
"""How many events the newest releases of an environment have."""

BEGIN = """
-- KEYS counter, installation, rebuilding, rebuilt, opened, behind, active
-- ARGV installation, counter, counter as it was seen, prefix of all keys, releases to drop with environments,
--      last opening's hash
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[3] then return 0 end
if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
if redis.call('SCARD', KEYS[7]) > 0 then return 0 end
redis.call('SET', KEYS[3], '1')
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[5], ARGV[6])
redis.call('DEL', KEYS[4])
for id, environment in pairs(cjson.decode(ARGV[5])) do
  redis.call('DEL', ARGV[4] .. 'release:' .. id .. ':events', ARGV[4] .. 'release:' .. id .. ':environment')
  redis.call('DEL', ARGV[4] .. 'told:' .. id)
  redis.call('LREM', ARGV[4] .. 'environment:' .. environment .. ':releases', 0, id)
  redis.call('SREM', KEYS[6], id)
end
return 1
"""
"""Begin a rebuild, if the record is still as it was seen; one that was begun goes on as it was begun."""

PUT_BACK = """
-- KEYS environment, releases of the environment, active, behind, wake, rebuilding
-- ARGV release under way (or nothing), its writer, prefix of what was told, how many to tell,
--      each with its position, all releases from the oldest
if redis.call('EXISTS', KEYS[6]) == 0 then return 0 end
local holder = redis.call('HGET', KEYS[1], 'release')
if holder and holder ~= ARGV[1] then return 0 end
local first = 5 + tonumber(ARGV[4])
for i = first, #ARGV do redis.call('LREM', KEYS[2], 0, ARGV[i]) end
for i = #ARGV, first, -1 do redis.call('LPUSH', KEYS[2], ARGV[i]) end
local time = tonumber(redis.call('TIME')[1])
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if epoch < time then redis.call('HSET', KEYS[1], 'epoch', string.format('%d', time)) end
if ARGV[1] ~= '' and not holder then
  redis.call('HSET', KEYS[1], 'release', ARGV[1], 'writer', ARGV[2], 'until', '0')
  redis.call('SADD', KEYS[3], ARGV[1])
end
for i = 5, first - 1 do
  local id, position = string.match(ARGV[i], '(%S+) (%S+)')
  redis.call('HSET', ARGV[3] .. id, 'rebuilt', position, 'trying_message', id,
    'trying_alert', id .. ':alert', 'trying_evidence', id .. ':evidence')
  redis.call('SADD', KEYS[4], id)
end
redis.call('LPUSH', KEYS[5], '1')
redis.call('LTRIM', KEYS[5], 0, 0)
return 1
"""
"""Let an environment have its history again, and the release that was under way hold it.

Its epoch begins at the time, which is more than any that was given before: a worker that has slept through
it all is stale. What the relay may have posted is marked as tried, so that it is looked up first."""

FINISH = """
-- KEYS rebuilding, rebuilt
-- ARGV that it was rebuilt
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
"""
"""End a rebuild."""
