{{- /*
What the operator may do, and no more: test/cluster/chart-rights.test.ts compares it with the audit log of a rollout's whole life.
*/ -}}

{{- /* Where rollouts are: in every namespace, or in each of watchNamespaces. */ -}}
{{- define "genesis.rules" -}}
# Rollouts: read, and written in status, finalizer and honoured requests alone.
- apiGroups: [genesis.dev]
  resources: [genesisrollouts]
  verbs: [list, watch, patch]
- apiGroups: [genesis.dev]
  resources: [genesisrollouts/status]
  verbs: [patch]
# Decisions of people: read, and answered in their status.
- apiGroups: [genesis.dev]
  resources: [genesisdecisions]
  verbs: [list, watch]
- apiGroups: [genesis.dev]
  resources: [genesisdecisions/status]
  verbs: [patch]
# Weights of routes.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, grpcroutes]
  verbs: [get, list, watch, patch]
# Which Services have Ready endpoints.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
# Feature flags; snapshots and reports.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, update, patch, delete]
# The spec that a run follows.
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, create]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- with .Values.rbac.allow }}
{{- if .jobs }}
# Hooks of a rollback, and health suites.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- if .podLogs }}
# Results of suites that are JUnit XML on the pod's log.
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
{{- end }}
{{- end }}
{{- if .restarts }}
# What is restarted with a feature flag.
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, list, watch, patch]
{{- end }}
{{- if .monitoring }}
# Alerts and ServiceMonitors that are made for rollouts, where the cluster has the kinds.
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules, servicemonitors]
  verbs: [get, list, create, patch, delete]
{{- end }}
{{- if .secrets }}
# Credentials that a rollout names; never listed.
- apiGroups: [""]
  resources: [secrets]
  {{- with $.Values.rbac.secretNames }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
{{- end }}
{{- end }}
{{- with .Values.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Secrets of notification channels, in the operator's own namespace: a list of names. */ -}}
{{- define "genesis.channelSecrets" -}}
{{- $names := list -}}
{{- range (.Values.config.notifications | default dict).channels -}}
{{- $channel := . -}}
{{- range tuple "slack.webhookUrl" "slack.token" "pagerDuty.routingKey" "email.password" "alertmanager.bearerToken" "alertmanager.password" "webhook.secret" "tls.ca" -}}
{{- $path := splitList "." . -}}
{{- $secret := (get (get $channel (index $path 0) | default dict) (index $path 1) | default dict).secret | default dict -}}
{{- with $secret.name -}}
{{- $names = append $names . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson (uniq $names | sortAlpha) -}}
{{- end }}

{{- /* Objects by name that belong to no namespace. */ -}}
{{- define "genesis.clusterRules" -}}
# Is the CRD as new as the operator?
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [genesisrollouts.genesis.dev]
  verbs: [get]
# Are approvals held to who makes them?
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicies, validatingadmissionpolicybindings]
  resourceNames: [decisions.genesis.dev]
  verbs: [get]
{{- end }}
