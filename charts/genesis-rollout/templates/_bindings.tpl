{{- /* A role and its binding have one name: (dict "root" $ "name" … "namespace" … "subject" …). */ -}}
{{- define "genesis.binding" }}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "genesis.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name }}
subjects:
- {{ toYaml .subject | nindent 2 | trim }}
{{- end }}

{{- define "genesis.clusterBinding" }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  {{- include "genesis.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .name }}
subjects:
- {{ toYaml .subject | nindent 2 | trim }}
{{- end }}
