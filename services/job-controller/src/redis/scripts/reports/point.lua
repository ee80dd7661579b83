-- point: notes which image tags of a repository point at.
-- needs: call/context
-- writes: tags
-- arguments: repository, digest, at most some hundred tags
-- reply: of each tag that pointed at another image the tag and the digest of that
-- when memory is full: refused
return function(repository, digest, ...)
  local key, tags, moved, changes = context.prefix .. "tags:" .. repository, { ... }, {}, {}
  for at, before in ipairs(redis.call("HMGET", key, ...)) do
    local tag = tags[at]
    if before ~= digest then changes[#changes + 1], changes[#changes + 2] = tag, digest end
    if before and before ~= digest then moved[#moved + 1], moved[#moved + 2] = tag, before end
  end
  if #changes > 0 then redis.call("HSET", key, unpack(changes)) end
  return moved
end
