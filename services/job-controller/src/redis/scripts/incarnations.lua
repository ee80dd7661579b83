-- incarnations: which process of a worker id came after which. The first shard knows that; the others are told.
local MOST_REMEMBERED, REMEMBERED_MS = 1000, 86400000
local keeps_incarnations = prefix == "{drydock:0}:"

-- The incarnation and the generation of a worker's record.
local function process_of(record)
  local incarnation, generation = string.match(record, "^(%S+) %S+ (%d+)")
  return incarnation, tonumber(generation)
end

-- Remembers the process of a record for a day from now on.
local function remember(worker, record)
  if not keeps_incarnations or not record then return end
  local key = prefix .. "incarnations:" .. worker
  local incarnation, generation = process_of(record)
  redis.call("ZADD", key, generation, incarnation)
  redis.call("ZREMRANGEBYRANK", key, 0, -MOST_REMEMBERED - 1)
  redis.call("PEXPIRE", key, REMEMBERED_MS)
end

-- The generation that the process has by now, or nil, and the newest one of its id.
local function generations(worker, incarnation, record)
  local key = prefix .. "incarnations:" .. worker
  local known, newest = nil, 0
  if record then known, newest = process_of(record) end
  local own = known == incarnation and newest or nil
  if not keeps_incarnations then return own, newest end
  local last = tonumber(redis.call("ZREVRANGE", key, 0, 0, "WITHSCORES")[2] or 0)
  return own or tonumber(redis.call("ZSCORE", key, incarnation) or nil), math.max(newest, last)
end

-- Whether an operator wants the process to take no more jobs: 1 or 0.
local function is_to_drain(worker, incarnation)
  return redis.call("GET", prefix .. "drain:" .. worker) == incarnation and 1 or 0
end
