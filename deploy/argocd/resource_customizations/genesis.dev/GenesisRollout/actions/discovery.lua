-- Offers what the operator would do now; what it would refuse is disabled.
local status = obj.status or {}
local phase = status.phase
local isStarted = status.runId ~= nil
local hasEnded = phase == "Succeeded" or phase == "RolledBack"
local isGoing = isStarted and not hasEnded and phase ~= "RollingBack"

local holds = {}
for _, hold in ipairs(status.holds or {}) do
  holds[hold.reason] = true
end

local hasPointAhead = false
for _, point in ipairs(status.plan or {}) do
  if point.passedAt == nil then
    hasPointAhead = true
  end
end

-- A pause in Git (spec.paused) is taken back in Git.
local isPaused = status.pausedBy ~= nil or obj.spec.paused == true
local canResume = status.pausedBy ~= nil or holds.WouldServeOlderVersion or holds.LoweredByAnother

local actions = {}
local function offer(name, isPossible, displayName, icon)
  actions[name] = {
    disabled = not isPossible,
    displayName = displayName,
    iconClass = "fa fa-fw " .. icon,
  }
end

offer("pause", isGoing and not isPaused, "Pause", "fa-pause")
offer("resume", isGoing and canResume, "Resume", "fa-play")
offer("promote", isGoing and hasPointAhead, "Promote: end the waiting of this step", "fa-step-forward")
offer("abort", isGoing, "Abort: roll back", "fa-undo")
offer("retry", isStarted and hasEnded, "Retry: start again", "fa-redo")
return actions
