-- unpoint: forgets a tag, if it still points at the image.
-- needs: call/context
-- writes: tags
-- arguments: repository, digest, tag
-- reply: 1 when it did, else 0
return function(repository, digest, tag)
  local key = context.prefix .. "tags:" .. repository
  if redis.call("HGET", key, tag) ~= digest then return 0 end
  return redis.call("HDEL", key, tag)
end
