-- incarnations: which process of a worker id came after which. The first shard decides; the others take its generation.
-- needs: call/context, lease/sessions
-- gives: REMEMBERED_MS, remember, generations, is_to_drain
-- reads: drain, incarnations
-- writes: incarnations
local REMEMBERED_MS = 86400000
local MOST_REMEMBERED = 1000
local keeps_incarnations = context.prefix == "{drydock:0}:"

local function key_of(worker)
  return context.prefix .. "incarnations:" .. worker
end

-- Remembers the process of a worker's entry for a day from now on.
local function remember(worker, entry)
  if not keeps_incarnations or not entry then return end
  local incarnation, generation = sessions.process_of(entry)
  redis.call("ZADD", key_of(worker), generation, incarnation)
  redis.call("ZREMRANGEBYRANK", key_of(worker), 0, -MOST_REMEMBERED - 1)
  redis.call("PEXPIRE", key_of(worker), REMEMBERED_MS)
end

-- The generation that the process has by now, or nil, and the newest one of its id.
local function generations(worker, incarnation, entry)
  local known, newest = nil, 0
  if entry then known, newest = sessions.process_of(entry) end
  local own = known == incarnation and newest or nil
  if not keeps_incarnations then return own, newest end
  local last = tonumber(redis.call("ZREVRANGE", key_of(worker), 0, 0, "WITHSCORES")[2] or 0)
  return own or tonumber(redis.call("ZSCORE", key_of(worker), incarnation) or nil), math.max(newest, last)
end

-- Whether an operator wants the process to take no more jobs: 1 or 0.
local function is_to_drain(worker, incarnation)
  return redis.call("GET", context.prefix .. "drain:" .. worker) == incarnation and 1 or 0
end

return { REMEMBERED_MS = REMEMBERED_MS, remember = remember, generations = generations, is_to_drain = is_to_drain }
