-- update: a worker's slots changed or it began to drain.
-- needs: lease/sessions
-- arguments: worker, session, info
-- reply: "OK"
return function(worker, session, info)
  if sessions.is_current(worker, session) then
    sessions.put(worker, string.match(sessions.entry_of(worker), "^%S+ %S+ %d+ ") .. info)
  end
  return "OK"
end
