{{- define "glossator.name" -}}
{{- /* The pods add a number to it, and so does the label of their revision: 63 characters in all. */ -}}
{{- if contains "glossator" .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-glossator" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "glossator.selector" -}}
app.kubernetes.io/name: glossator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "glossator.labels" -}}
{{ include "glossator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "glossator.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "glossator.name" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "glossator.image" -}}
{{- $tag := default (ternary "cuda" "cpu" .Values.gpu.enabled) .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end }}

{{- /* The pipeline file as text. */ -}}
{{- define "glossator.pipelineText" -}}
{{- if not .Values.pipeline -}}
{{- fail "pipeline: is required; give the file with --set-file pipeline=pipeline.yaml" -}}
{{- end -}}
{{- if kindIs "string" .Values.pipeline -}}
{{ .Values.pipeline }}
{{- else -}}
{{ toYaml .Values.pipeline }}
{{- end -}}
{{- end }}

{{- /* The pipeline file as JSON, for fromJson: what the templates have to know of it. */ -}}
{{- define "glossator.pipeline" -}}
{{- $pipeline := include "glossator.pipelineText" . | fromYaml -}}
{{- if hasKey $pipeline "Error" -}}
{{- fail (printf "pipeline: is not YAML, or not the YAML 1.1 that Helm reads (put texts with ? or : in quotes): %s" $pipeline.Error) -}}
{{- end -}}
{{- range $section := list "pipeline" "kafka" "input" -}}
{{- if not (hasKey $pipeline $section) -}}
{{- fail (printf "pipeline: has no section %q; check the file with glossator lint" $section) -}}
{{- end -}}
{{- end -}}
{{ toJson $pipeline }}
{{- end }}

{{- define "glossator.grace" -}}
{{- if .Values.terminationGracePeriodSeconds -}}
{{ int .Values.terminationGracePeriodSeconds }}
{{- else -}}
{{- $pipeline := include "glossator.pipeline" . | fromJson -}}
{{- $drain := default 30000 $pipeline.drain_timeout_ms -}}
{{- if kindIs "string" $drain -}}
{{- fail "drain_timeout_ms: is a ${VAR} in the pipeline file, so set terminationGracePeriodSeconds: the timeout and 30 s" -}}
{{- end -}}
{{ add (div (add (int64 $drain) 999) 1000) 30 }}
{{- end -}}
{{- end }}

{{- define "glossator.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "glossator.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- if .Values.gpu.enabled -}}
{{- $_ := set $resources "limits" (merge (dict .Values.gpu.resource 1) (default dict $resources.limits)) -}}
{{- end -}}
{{ toYaml $resources }}
{{- end }}

{{- define "glossator.claim" -}}
- metadata:
    name: {{ .name }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .of.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources: {requests: {storage: {{ .of.size }}}}
{{- end }}
