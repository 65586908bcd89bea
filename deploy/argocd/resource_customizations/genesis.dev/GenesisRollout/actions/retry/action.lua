-- The operator honours each token once. This one names the state that the person saw, so a double click asks once.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["genesis.dev/request"] = "retry argocd-" .. (obj.metadata.resourceVersion or obj.metadata.generation)
return obj
