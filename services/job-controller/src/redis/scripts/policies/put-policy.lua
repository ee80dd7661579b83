-- put-policy: stores a policy for images, in place of the one of the same name.
-- needs: call/context
-- writes: policies, policies-version
-- arguments: name, the policy as JSON, how many there may be
-- reply: "OK"
-- errors: POLICIES_FULL
-- when memory is full: refused
return function(name, json, most)
  local policies = context.prefix .. "policies"
  if redis.call("HEXISTS", policies, name) == 0 and redis.call("HLEN", policies) >= tonumber(most) then
    context.refuse("POLICIES_FULL", "policies " .. most)
  end
  redis.call("HSET", policies, name, json)
  redis.call("INCRBY", context.prefix .. "policies-version", 1)
  return "OK"
end
