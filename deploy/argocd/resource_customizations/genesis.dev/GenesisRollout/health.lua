-- GenesisRollout follows kstatus (Ready, Reconciling, Stalled); its phase and holds tell a person's turn from the operator's.
local status = obj.status or {}
local message = status.message or ""

if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "waiting for the operator to read the spec" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local function is(type, value)
  return conditions[type] ~= nil and conditions[type].status == value
end

-- Traffic is going back, or is back: the revision in Git is not the one that serves.
if status.phase == "RollingBack" or status.phase == "RolledBack" then
  return { status = "Degraded", message = message }
end
-- A run may go on under the spec it began with, but nobody carries out the one in Git.
if is("Stalled", "True") then
  return { status = "Degraded", message = conditions.Stalled.message }
end
if is("Accepted", "False") then
  return { status = "Degraded", message = conditions.Accepted.message }
end
if is("Paused", "True") then
  return { status = "Suspended", message = message }
end
if status.phase == "Held" then
  local needsPerson = {
    ApprovalRequired = true,
    ApprovalExpired = true,
    Rejected = true,
    CriteriaMissed = true,
    WouldServeOlderVersion = true,
  }
  for _, hold in ipairs(status.holds or {}) do
    if needsPerson[hold.reason] then
      return { status = "Suspended", message = message }
    end
  end
  return { status = "Progressing", message = message }
end
if is("Ready", "True") then
  return { status = "Healthy", message = message }
end
return { status = "Progressing", message = message }
