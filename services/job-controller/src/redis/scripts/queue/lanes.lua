-- lanes: a job type's waiting jobs stand in lanes, one for each priority and fairness key. The score of a lane is its rank
-- (9 - priority) times RANK plus its turn: the lane with the least score is next, and each job taken puts it one turn back. Jobs that
-- a worker was refused for stand in lanes of their own, with "!" for ":" in the name, so that they hide no other job from it.
-- needs: call/context
-- gives: RANK, FIRST_TURN, REFUSED, of, name_of, is_of_refused, turns_of, end_of, close
-- writes: lanes, turns
local RANK, FIRST_TURN = 2 ^ 40, 2 ^ 39
-- What a job in a lane of refused jobs notes as its section: these lanes have a front only.
local REFUSED = 2 ^ 24 - 1
local prefix = context.prefix

-- The key of a type's lanes.
local function of(name)
  return prefix .. "lanes:" .. name
end

-- The name of the lane that a job waits in: the digit of 9 - priority, then the kind of the lane, then the fairness key.
local function name_of(job)
  return string.char(57 - job.priority) .. (job.section == REFUSED and "!" or ":") .. job.fairness
end

local function is_of_refused(lane)
  return string.sub(lane, 2, 2) == "!"
end

-- The key of the turns at which the lanes of each rank begin.
local function turns_of(name)
  return prefix .. "turns:" .. name
end

-- The score that is behind the lanes of a rank, or of all ranks.
local function end_of(rank)
  return rank and (rank + 1) * RANK or math.huge
end

-- Forgets a lane without jobs, and the turns when it was the last one; whether others are left.
local function close(name, lane)
  redis.call("ZREM", of(name), lane)
  if redis.call("EXISTS", of(name)) == 1 then return true end
  redis.call("DEL", turns_of(name))
  return false
end

return { RANK = RANK, FIRST_TURN = FIRST_TURN, REFUSED = REFUSED, of = of, name_of = name_of, is_of_refused = is_of_refused,
  turns_of = turns_of, end_of = end_of, close = close }
