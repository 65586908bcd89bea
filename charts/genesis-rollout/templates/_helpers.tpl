{{- /* Names and labels that every template uses. */ -}}

{{- define "genesis.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* The release, with the name of the chart unless it says it already. 50 characters leave room for what is added. */ -}}
{{- define "genesis.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "genesis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "genesis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "genesis.controllerLabels" -}}
{{ include "genesis.selectorLabels" . }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "genesis.labels" -}}
{{ include "genesis.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: genesis-rollout
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* metadata of an object: (dict "root" $ "name" … "namespace" … "component" … "labels" … "annotations" …). */ -}}
{{- define "genesis.metadata" -}}
{{- $root := .root -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- include "genesis.labels" $root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (dict) (.annotations | default dict) $root.Values.commonAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "genesis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "genesis.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "genesis.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry .Values.global.imageRegistry -}}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest }}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "genesis.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- if $secrets -}}
{{- toYaml (uniq $secrets) }}
{{- end }}
{{- end }}

{{- define "genesis.leaseNamespace" -}}
{{- default .Release.Namespace (.Values.config.lease | default dict).namespace }}
{{- end }}

{{- define "genesis.leaseName" -}}
{{- default (include "genesis.fullname" .) (.Values.config.lease | default dict).name }}
{{- end }}

{{- /* The file of --config: what the values say, and what the chart decides. */ -}}
{{- define "genesis.config" -}}
{{- /* Its namespace is the pod's own, by POD_NAMESPACE, unless the values name one. */ -}}
{{- $lease := merge (dict "name" (include "genesis.leaseName" .)) (.Values.config.lease | default dict) -}}
{{- $own := dict
  "metricsAddress" (printf ":%d" (int .Values.ports.metrics))
  "healthAddress" (printf ":%d" (int .Values.ports.health))
  "leaderElect" .Values.leaderElection.enabled
  "lease" $lease -}}
{{- with .Values.watchNamespaces }}
{{- $_ := set $own "namespace" (uniq . | sortAlpha) }}
{{- end }}
{{- toYaml (merge $own .Values.config) }}
{{- end }}

{{- /* What no schema can say: a sentence ends the rendering. */ -}}
{{- define "genesis.validate" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail (printf "replicas is %d and leaderElection.enabled is false: without a leader only one replica may act; set replicas to 1, or leaderElection.enabled to true" (int .Values.replicas)) }}
{{- end }}
{{- if eq (int .Values.ports.metrics) (int .Values.ports.health) }}
{{- fail (printf "ports.metrics and ports.health are both %d; give each a port of its own" (int .Values.ports.health)) }}
{{- end }}
{{- $disruption := .Values.podDisruptionBudget }}
{{- if and (ne (toString $disruption.minAvailable) "") (ne (toString $disruption.maxUnavailable) "") }}
{{- fail (printf "podDisruptionBudget.minAvailable is %v and podDisruptionBudget.maxUnavailable is %v; set at most one of them" $disruption.minAvailable $disruption.maxUnavailable) }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor.enabled is true and metrics.service.enabled is false; a ServiceMonitor needs the Service" }}
{{- end }}
{{- if and (not .Values.rbac.create) .Values.rbac.extraRules }}
{{- fail "rbac.extraRules are set and rbac.create is false; nothing would hold them" }}
{{- end }}
{{- end }}
