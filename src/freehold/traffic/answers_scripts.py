"""What Redis does for kept answers, each in one step.

KEYS[1] is a hash of the order of all changes: `n` the newest mark, `floor` the mark before which nothing counts, and under
`t:<name>` the mark of the last change of a table or tag. It begins at the server's clock, so that after it was lost no mark
from before is one of now. KEYS[2] is a hash of the commits that have begun and not ended: by their id, when they count as
over and what they change.
"""

from __future__ import annotations

from typing import Final

from freehold.remote import Script
from freehold.traffic.answers import MOST_NAMES

_COMMON: Final = """
local order, commits = KEYS[1], KEYS[2]
local function instant()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function newest()
  local n = tonumber(redis.call('HGET', order, 'n'))
  if not n then
    local time = redis.call('TIME')
    n = time[1] * 1000000 + time[2]
    redis.call('HSET', order, 'n', n, 'floor', n)
    redis.call('EXPIRE', order, 604800)
  end
  return n
end
local function changed(names)
  local n = newest() + 1
  if redis.call('HLEN', order) + #names > MOST_NAMES then
    redis.call('DEL', order)
    names = {}
    redis.call('HSET', order, 'floor', n)
  end
  redis.call('HSET', order, 'n', n)
  for _, name in ipairs(names) do redis.call('HSET', order, 't:' .. name, n) end
  redis.call('EXPIRE', order, 604800)
end
local function is_current(names, mark)
  local n = newest()
  if mark > n or mark < tonumber(redis.call('HGET', order, 'floor')) then return false end
  for _, name in ipairs(names) do
    if name == '*' and mark < n then return false end
    if mark < tonumber(redis.call('HGET', order, 't:' .. name) or 0) then return false end
  end
  return #names == 0 or mark >= tonumber(redis.call('HGET', order, 't:*') or 0)
end
""".replace("MOST_NAMES", str(MOST_NAMES))

MARK: Final = Script(_COMMON + "return newest()")

# KEYS[3]: the answer. What is not current any more is dropped.
GET: Final = Script(
    _COMMON
    + """
local found = redis.call('HMGET', KEYS[3], 'mark', 'names', 'made')
if not found[1] then return false end
if not is_current(cmsgpack.unpack(found[2]), tonumber(found[1])) then
  redis.call('UNLINK', KEYS[3])
  return false
end
return {redis.call('HGET', KEYS[3], 'value'), tonumber(found[1]), instant() - found[3]}
"""
)

# ARGV: mark, milliseconds, value, names. A commit that has begun may be read or not: nothing made meanwhile is kept. One
# that is long over and never said so counts as a change now.
PUT: Final = Script(
    _COMMON
    + """
local mark, names, now, wanted = tonumber(ARGV[1]), {}, instant(), {}
for place = 4, #ARGV do
  names[#names + 1] = ARGV[place]
  wanted[ARGV[place]] = true
end
local running = redis.call('HGETALL', commits)
for place = 1, #running, 2 do
  local commit = cmsgpack.unpack(running[place + 1])
  if commit.over <= now then
    redis.call('HDEL', commits, running[place])
    changed(commit.names)
  else
    for _, name in ipairs(commit.names) do
      if wanted[name] or (#names > 0 and (name == '*' or wanted['*'])) then return 0 end
    end
  end
end
if not is_current(names, mark) then return 0 end
redis.call('HSET', KEYS[3], 'value', ARGV[3], 'mark', ARGV[1], 'names', cmsgpack.pack(names), 'made', now)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return 1
"""
)

# ARGV: mark, names.
IS_CURRENT: Final = Script(
    _COMMON
    + """
local names = {}
for place = 2, #ARGV do names[#names + 1] = ARGV[place] end
return is_current(names, tonumber(ARGV[1])) and 1 or 0
"""
)

# ARGV: id, milliseconds for which it may run, names. What is kept is dropped before the commit already: whoever dies in it
# leaves nothing old behind.
WILL_CHANGE: Final = Script(
    _COMMON
    + """
local names = {}
for place = 3, #ARGV do names[#names + 1] = ARGV[place] end
redis.call('HSET', commits, ARGV[1], cmsgpack.pack({over = instant() + ARGV[2], names = names}))
redis.call('EXPIRE', commits, 604800)
changed(names)
"""
)

# ARGV: id, names.
HAS_CHANGED: Final = Script(
    _COMMON
    + """
local names = {}
for place = 2, #ARGV do names[#names + 1] = ARGV[place] end
changed(names)
redis.call('HDEL', commits, ARGV[1])
"""
)

REPLACED: Final = Script(
    _COMMON
    + """
local n = newest() + 1
redis.call('HSET', order, 'n', n, 'floor', n)
"""
)

# KEYS[1]: who makes an answer. ARGV: by which name.
END: Final = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")
