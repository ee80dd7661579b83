-- point: notes which image tags of a repository point at.
-- needs: call/context
-- writes: tags
-- arguments: repository, digest, tags
-- reply: of each tag that pointed at another image the tag and the digest of that
-- when memory is full: refused
return function(repository, digest, ...)
  local key, moved = context.prefix .. "tags:" .. repository, {}
  for _, tag in ipairs({ ... }) do
    local before = redis.call("HGET", key, tag)
    if before ~= digest then redis.call("HSET", key, tag, digest) end
    if before and before ~= digest then moved[#moved + 1], moved[#moved + 2] = tag, before end
  end
  return moved
end
