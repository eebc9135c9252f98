-- An IndexRestore follows kstatus: status.observedGeneration, and the conditions Ready, Reconciling and Stalled, of which the
-- last two are there only while true. Health is built on these alone, not on reasons: those are many and may become more.
--
-- Never Suspended: Argo CD has a sync with several waves wait for a suspended resource without an end, and a restore that
-- waits for its Secret continues automatically. Stalled is Degraded, because manual action is required: a sync that waits fails at once.
local health = { status = "Progressing", message = "Waiting for the operator" }

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "Pending deletion"
  return health
end

-- A fresh object has observedGeneration -1; an edited one has that of the spec before. What the conditions say then is about
-- another restore than the one that is asked for.
local generation = obj.metadata.generation
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= generation then
  return health
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  if condition.observedGeneration == generation then
    found[condition.type] = condition
  end
end

local function is(type)
  return found[type] ~= nil and found[type].status == "True"
end

if found["Ready"] == nil then
  return health
end
health.message = found["Ready"].reason .. ": " .. found["Ready"].message

if is("Reconciling") then
  return health
end
if is("Stalled") then
  health.status = "Degraded"
elseif is("Ready") then
  health.status = "Healthy"
end
return health
