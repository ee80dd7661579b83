-- unreadable: what begins with another byte than the version of this controller's records.
-- needs: call/context
-- gives: refuse
local MAX_VERSION = 127

-- A record of a later controller is refused with RECORD_VERSION_UNKNOWN, and stays where it is; anything else is no record.
local function refuse(id, version, known)
  if version > known and version <= MAX_VERSION then context.refuse("RECORD_VERSION_UNKNOWN", id .. " " .. version) end
  error("what is stored of job " .. id .. " is no record: it begins with the byte " .. version)
end

return { refuse = refuse }
