{{/* The operator's pod. */}}
{{- define "operator.pod" -}}
serviceAccountName: {{ include "operator.serviceAccountName" . }}
# The projected volume below has its token.
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: operator
    image: {{ include "operator.image" (dict "root" . "image" .Values.image) | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args:
      {{- include "operator.arguments" . | nindent 6 }}
    env:
      - name: POD_NAME
        valueFrom:
          fieldRef:
            fieldPath: metadata.name
      - name: POD_UID
        valueFrom:
          fieldRef:
            fieldPath: metadata.uid
      {{- range $name, $value := dict "HTTPS_PROXY" .Values.proxy.httpsProxy "HTTP_PROXY" .Values.proxy.httpProxy "NO_PROXY" .Values.proxy.noProxy }}
      {{- with $value }}
      - name: {{ $name }}
        value: {{ . | quote }}
      {{- end }}
      {{- end }}
      {{- with .Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .Values.extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      - name: http
        containerPort: {{ .Values.metrics.port }}
    {{- with .Values.livenessProbe }}
    livenessProbe:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.readinessProbe }}
    readinessProbe:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.startupProbe }}
    startupProbe:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      {{- toYaml .Values.securityContext | nindent 6 }}
    volumeMounts:
      - name: api-server
        mountPath: /var/run/secrets/kubernetes.io/serviceaccount
        readOnly: true
      {{- if .Values.pinecone.caBundle.configMap }}
      - name: ca-bundle
        mountPath: /etc/index-restore-operator
        readOnly: true
      {{- end }}
      {{- with .Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  {{- with .Values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumes:
  - name: api-server
    projected:
      defaultMode: 292 # 0444
      sources:
        - serviceAccountToken:
            path: token
            expirationSeconds: {{ .Values.serviceAccount.tokenExpirationSeconds }}
        - configMap:
            name: kube-root-ca.crt
            items:
              - key: ca.crt
                path: ca.crt
        - downwardAPI:
            items:
              - path: namespace
                fieldRef:
                  fieldPath: metadata.namespace
  {{- with .Values.pinecone.caBundle }}
  {{- if .configMap }}
  - name: ca-bundle
    configMap:
      name: {{ .configMap }}
      items:
        - key: {{ .key }}
          path: ca.crt
  {{- end }}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- include "operator.scheduling" . }}
{{- end -}}

{{/* Every setting is set explicitly, so that the objects show what runs. */}}
{{- define "operator.arguments" -}}
{{- $values := .Values -}}
- run
- --listen=0.0.0.0:{{ $values.metrics.port }}
- --log-format={{ $values.log.format }}
- {{ printf "--log-level=%s" $values.log.level | quote }}
- {{ printf "--pinecone-endpoint=%s" (include "operator.endpoint" .) | quote }}
- --pinecone-api-version={{ $values.pinecone.apiVersion }}
{{- if $values.pinecone.caBundle.configMap }}
- --pinecone-ca-file=/etc/index-restore-operator/ca.crt
{{- end }}
{{- range $values.watchNamespaces | uniq | sortAlpha }}
- --watch-namespace={{ . }}
{{- end }}
- --concurrency={{ $values.controller.concurrency }}
- --request-timeout={{ $values.pinecone.requestTimeoutSeconds }}s
- --max-requests-per-second={{ $values.pinecone.maxRequestsPerSecond }}
- --poll-min={{ $values.controller.pollMinSeconds }}s
- --poll-max={{ $values.controller.pollMaxSeconds }}s
- --max-observation-gap={{ $values.controller.maxObservationGapSeconds }}s
- --leader-elect={{ $values.leaderElection.enabled }}
{{- if $values.leaderElection.enabled }}
- --leader-elect-lease-name={{ include "operator.fullname" . }}
- --leader-elect-lease-duration={{ $values.leaderElection.leaseDurationSeconds }}s
- --leader-elect-renew-deadline={{ $values.leaderElection.renewDeadlineSeconds }}s
- --leader-elect-retry-period={{ $values.leaderElection.retryPeriodSeconds }}s
{{- end }}
{{- with $values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "operator.scheduling" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else }}
# Independent of the number of replicas: scaling must not replace the pods.
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "operator.selector" . | nindent 8 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if not (kindIs "invalid" .Values.hostUsers) }}
hostUsers: {{ .Values.hostUsers }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
