{{- define "operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "operator.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "emulator.selector" -}}
app.kubernetes.io/name: pinecone-emulator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels and annotations of an object: (dict "root" $ "selector" … "labels" … "annotations" …), all but root optional. */}}
{{- define "operator.decoration" -}}
{{- $root := .root -}}
{{- $own := fromYaml (default (include "operator.selector" $root) .selector) -}}
{{- $chart := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63)
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/managed-by" $root.Release.Service -}}
labels:
  {{- toYaml (mergeOverwrite (dict) $root.Values.commonLabels (default dict .labels) $chart $own) | nindent 2 }}
{{- with mergeOverwrite (dict) $root.Values.commonAnnotations (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "image" …). The first part of a repository is a registry if it has a dot or a port, or is localhost. */}}
{{- define "operator.image" -}}
{{- $repository := .image.repository -}}
{{- with default .image.registry .root.Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" . (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "emulator.fullname" -}}
{{- printf "%s-pinecone-emulator" (include "operator.fullname" .) -}}
{{- end -}}

{{- define "operator.endpoint" -}}
{{- if .Values.emulator.enabled -}}
{{- printf "http://%s.%s.svc:5080" (include "emulator.fullname" .) (include "operator.namespace" .) -}}
{{- else -}}
{{- .Values.pinecone.endpoint -}}
{{- end -}}
{{- end -}}

{{- define "operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "operator.serviceAccountName" . }}
  namespace: {{ include "operator.namespace" . }}
{{- end -}}

{{/* One endpoint of a ServiceMonitor or PodMonitor. */}}
{{- define "operator.scrape" -}}
port: http
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What the operator may do in the namespaces that it watches. It never lists or watches Secrets. */}}
{{- define "operator.rules" -}}
- apiGroups: [restore.pinecone.io]
  resources: [indexrestores]
  verbs: [get, list, watch]
- apiGroups: [restore.pinecone.io]
  resources: [indexrestores/status]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.rbac.secretNames }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* What both admission policies apply to. */}}
{{- define "operator.admission" -}}
failurePolicy: Fail
matchConstraints:
  resourceRules:
    - apiGroups: [restore.pinecone.io]
      apiVersions: ["*"]
      operations: [CREATE, UPDATE]
      resources: [indexrestores]
{{- end -}}

{{/* Values that contradict each other. */}}
{{- define "operator.check" -}}
{{- $values := .Values -}}
{{- if eq (toString $values.enabled) "false" -}}
{{- fail "enabled is evaluated by a parent chart only: its dependency needs condition: index-restore-operator.enabled" -}}
{{- end -}}
{{- if le (int $values.terminationGracePeriodSeconds) (int $values.pinecone.requestTimeoutSeconds) -}}
{{- fail "terminationGracePeriodSeconds must be longer than pinecone.requestTimeoutSeconds: what was sent must be recorded before the process ends" -}}
{{- end -}}
{{- if gt (int $values.controller.pollMinSeconds) (int $values.controller.pollMaxSeconds) -}}
{{- fail "controller.pollMinSeconds may not be longer than controller.pollMaxSeconds" -}}
{{- end -}}
{{- with $values.leaderElection -}}
{{- if and (not .enabled) (gt (int $values.replicaCount) 1) -}}
{{- fail "several replicas need leaderElection.enabled" -}}
{{- end -}}
{{- if or (le (int .leaseDurationSeconds) (int .renewDeadlineSeconds)) (le (int .renewDeadlineSeconds) (int .retryPeriodSeconds)) -}}
{{- fail "leaderElection: leaseDurationSeconds must be longer than renewDeadlineSeconds, and that longer than retryPeriodSeconds" -}}
{{- end -}}
{{- end -}}
{{- if and $values.emulator.enabled (ne $values.pinecone.endpoint "https://api.pinecone.io") -}}
{{- fail "emulator.enabled and pinecone.endpoint exclude each other" -}}
{{- end -}}
{{- if and $values.emulator.enabled $values.rbac.secretNames (not (has $values.emulator.secretName $values.rbac.secretNames)) -}}
{{- fail "rbac.secretNames must name emulator.secretName" -}}
{{- end -}}
{{- with $values.admissionPolicies.namedSecrets -}}
{{- $policy := . -}}
{{- range concat $values.rbac.secretNames (ternary (list $values.emulator.secretName) list $values.emulator.enabled) -}}
{{- if and $policy.enabled (not (regexMatch (printf "^%s(-.*)?$" $policy.prefix) .)) -}}
{{- fail (printf "admissionPolicies.namedSecrets.prefix admits no Secret named %s" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
