-- A decision is applied once: until then it is on its way.
local status = obj.status or {}
if status.outcome == "Applied" then
  return { status = "Healthy", message = status.message }
end
if status.outcome == "Refused" or status.outcome == "Expired" then
  return { status = "Degraded", message = status.message }
end
return { status = "Progressing", message = "waiting for the operator to apply it" }
