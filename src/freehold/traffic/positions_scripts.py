"""What Redis does for read replicas, each in one step.

KEYS[1] is one hash, so that it is lost as a whole or not at all: `floor` is the place in the log that any read wants, `t:<table>`
the place after the last commit on a table, `running` the commits that have begun and not ended: by their id, when they
count as over and what they change. Places are kept as text: a number of Lua's would be printed with 14 digits.
"""

from __future__ import annotations

from typing import Final

from freehold.remote import Script

MOST_NAMES: Final = 1_000  # of tables that are told apart; when there are more, any read wants the newest place

_COMMON: Final = """
local positions = KEYS[1]
local function instant()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function running()
  local found = redis.call('HGET', positions, 'running')
  return found and cmsgpack.unpack(found) or {}
end
local function keep(commits)
  redis.call('HSET', positions, 'running', cmsgpack.pack(commits))
  redis.call('EXPIRE', positions, 604800)
end
local function raise(field, place)
  local found = redis.call('HGET', positions, field)
  if not found or tonumber(found) < tonumber(place) then redis.call('HSET', positions, field, place) end
end
"""

# ARGV: id, milliseconds for which it may run, tables.
BEGIN: Final = Script(
    _COMMON
    + """
local commits, names = running(), {}
for place = 3, #ARGV do names[ARGV[place]] = 1 end
commits[ARGV[1]] = {over = instant() + ARGV[2], names = names}
keep(commits)
"""
)

# ARGV: id, place, tables. `*` stands for every table.
END: Final = Script(
    _COMMON
    + """
local commits = running()
commits[ARGV[1]] = nil
keep(commits)
if redis.call('HLEN', positions) + #ARGV > MOST_NAMES then
  local floor = redis.call('HGET', positions, 'floor')
  redis.call('DEL', positions)
  keep(commits)
  if floor then redis.call('HSET', positions, 'floor', floor) raise('floor', ARGV[2]) end
  return
end
for each = 3, #ARGV do
  if ARGV[each] ~= '*' then
    raise('t:' .. ARGV[each], ARGV[2])
  elseif redis.call('HEXISTS', positions, 'floor') == 1 then
    raise('floor', ARGV[2])
  end
end
""".replace("MOST_NAMES", str(MOST_NAMES))
)

# ARGV: tables. The place that they want; nothing while a commit on them runs; the time, as a number, where only the primary
# can say what it is: after a loss of Redis, or of whoever began a commit.
WANTED: Final = Script(
    _COMMON
    + """
local most, now = redis.call('HGET', positions, 'floor'), instant()
if not most then return now end
for _, commit in pairs(running()) do
  if commit.over <= now then return now end
  if commit.names['*'] then return false end
  for _, name in ipairs(ARGV) do
    if commit.names[name] then return false end
  end
end
for _, name in ipairs(ARGV) do
  local place = redis.call('HGET', positions, 't:' .. name)
  if place and tonumber(place) > tonumber(most) then most = place end
end
return most
"""
)

# ARGV: place, the time before the primary was asked for it. What was over by then is below that place.
SEED: Final = Script(
    _COMMON
    + """
local commits, left = running(), {}
for id, commit in pairs(commits) do
  if commit.over > tonumber(ARGV[2]) then left[id] = commit end
end
keep(left)
raise('floor', ARGV[1])
"""
)
