-- remove: removes a policy or an exception.
-- needs: call/context
-- writes: policies, exceptions, exception-ends, policies-version
-- arguments: "policy" or "exception", its name or id
-- reply: 1 when it was there, else 0
return function(what, name)
  local removed = redis.call("HDEL", context.prefix .. (what == "policy" and "policies" or "exceptions"), name)
  if what == "exception" then redis.call("ZREM", context.prefix .. "exception-ends", name) end
  if removed == 1 then redis.call("INCRBY", context.prefix .. "policies-version", 1) end
  return removed
end
