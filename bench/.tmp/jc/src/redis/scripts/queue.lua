-- queue: a job type's waiting jobs stand in lanes, one for each priority and fairness key. The score of a lane is its
-- rank (9 - priority) times RANK plus its share so far: the least is next, and each job taken makes it one more.
local RANK = 2 ^ 40

local function lane_of(job)
  return (9 - job[PRIORITY]) .. ":" .. job[FAIRNESS]
end

local function lanes_of(name)
  return prefix .. "lanes:" .. name
end

local function lane_list(name, lane)
  return prefix .. "ready:" .. name .. ":" .. lane
end

-- Puts a job to the end (RPUSH) or the front (LPUSH) of its lane. A lane that begins anew is next among its rank.
local function enqueue(id, job, side)
  local name, lane = job[NAME], lane_of(job)
  if redis.call(side, lane_list(name, lane), id) > 1 then return end
  local lanes, floor = lanes_of(name), (9 - job[PRIORITY]) * RANK
  local next_lane = redis.call("ZRANGE", lanes, floor, floor + RANK - 1, "BYSCORE", "LIMIT", 0, 1, "WITHSCORES")
  local score = next_lane[2] and tonumber(next_lane[2]) - 0.5 or floor + RANK / 2
  redis.call("ZADD", lanes, "NX", string.format("%.1f", score), lane)
  ready_names[name] = true
end

-- Takes up to so many ids from the lane whose turn it is; nil when no job of the type waits.
local function pop(name, wanted)
  local lanes = lanes_of(name)
  local lane = redis.call("ZRANGE", lanes, 0, 0)[1]
  if not lane then return nil end
  local share = redis.call("ZCARD", lanes) == 1 and wanted or 1
  local list = lane_list(name, lane)
  local ids = redis.call("LPOP", list, share) or {}
  if #ids < share or redis.call("EXISTS", list) == 0 then
    redis.call("ZREM", lanes, lane)
  else
    redis.call("ZINCRBY", lanes, #ids, lane)
  end
  return ids
end

-- Lets a job wait for its time; the controllers are told when that is the next one.
local function postpone(id, job, at)
  job[RUN_AT] = at
  redis.call("ZADD", scheduled, at, id)
  if not earliest_due or at < earliest_due then earliest_due = at end
end

-- Lets a periodic job launch at that time.
local function plan(id, job, at)
  job[RUN_AT] = at
  redis.call("ZADD", prefix .. "periodic", at, id)
  if not earliest_due or at < earliest_due then earliest_due = at end
end
