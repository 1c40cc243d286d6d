{{/* A pod's security, as the level restricted wants it. */}}
{{- define "security" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: {{ . }}
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "proxy" -}}
name: linkerd-proxy
image: {{ .Values.proxy.image.name }}:{{ .Values.proxy.image.version | default .Values.linkerdVersion }}
{{- if .Values.proxy.nativeSidecar }}
restartPolicy: Always
{{- end }}
env:
- name: LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS
  valueFrom: {configMapKeyRef: {name: linkerd-identity-trust-roots, key: ca-bundle.crt}}
ports:
- {name: linkerd-proxy, containerPort: {{ .Values.proxy.ports.inbound }}}
- {name: linkerd-admin, containerPort: {{ .Values.proxy.ports.admin }}}
livenessProbe: {httpGet: {path: /live, port: {{ .Values.proxy.ports.admin }}}}
readinessProbe: {httpGet: {path: /ready, port: {{ .Values.proxy.ports.admin }}}}
resources:
  limits: {memory: {{ .Values.proxy.resources.memory.limit | default "1Gi" }}}
  requests: {cpu: {{ .Values.proxy.resources.cpu.request | default "1m" }}, memory: {{ .Values.proxy.resources.memory.request | default "1Mi" }}}
{{ include "security" .Values.proxy.uid }}
volumeMounts:
- {name: linkerd-identity-end-entity, mountPath: /var/run/linkerd/identity/end-entity}
- {name: linkerd-identity-token, mountPath: /var/run/secrets/tokens}
{{- end }}

{{- define "validator" -}}
name: linkerd-network-validator
image: {{ .Values.proxy.image.name }}:{{ .Values.proxy.image.version | default .Values.linkerdVersion }}
command: [/usr/lib/linkerd/linkerd2-network-validator]
args: [--connect-addr, "1.1.1.1:20001", --listen-addr, "0.0.0.0:4140", --timeout, 10s]
{{ include "security" 65534 }}
{{- end }}

{{- define "init" -}}
name: linkerd-init
image: {{ .Values.proxy.image.name }}:{{ .Values.linkerdVersion }}
securityContext: {capabilities: {add: [NET_ADMIN, NET_RAW]}, runAsNonRoot: true, runAsUser: 65534}
{{- end }}

{{/* A Deployment of the control plane: a dict of root, name, component, containers, volumes. */}}
{{- define "deployment" -}}
{{- $root := .root }}
{{- with .root }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.name }}
  labels: {app.kubernetes.io/part-of: Linkerd, linkerd.io/control-plane-component: {{ $.component }}, linkerd.io/control-plane-ns: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.controllerReplicas }}
  selector: {matchLabels: {linkerd.io/control-plane-component: {{ $.component }}, linkerd.io/control-plane-ns: {{ .Release.Namespace }}}}
  strategy: {{ toJson .Values.deploymentStrategy }}
  template:
    metadata:
      labels: {linkerd.io/control-plane-component: {{ $.component }}, linkerd.io/control-plane-ns: {{ .Release.Namespace }}}
      annotations: {linkerd.io/proxy-version: {{ .Values.linkerdVersion }}, config.linkerd.io/default-inbound-policy: all-unauthenticated}
    spec:
      serviceAccountName: {{ $.name }}
      initContainers:
      - {{ include (ternary "validator" "init" .Values.cniEnabled) . | nindent 8 | trim }}
      {{- if .Values.proxy.nativeSidecar }}
      - {{ include "proxy" . | nindent 8 | trim }}
      {{- end }}
      containers:
      {{- if not .Values.proxy.nativeSidecar }}
      - {{ include "proxy" . | nindent 8 | trim }}
      {{- end }}
      {{- range $.containers }}
      - name: {{ .name }}
        image: {{ $root.Values.controllerImage }}:{{ $root.Values.linkerdVersion }}
        args: [{{ .name }}]
        ports:
        {{- range $port, $number := .ports }}
        - {name: {{ $port }}, containerPort: {{ $number }}}
        {{- end }}
        livenessProbe: {httpGet: {path: /ping, port: {{ .admin }}}}
        readinessProbe: {httpGet: {path: /ready, port: {{ .admin }}}}
        {{ include "security" $root.Values.controllerUID | nindent 8 | trim }}
      {{- end }}
      volumes:
      - {name: linkerd-identity-end-entity, emptyDir: {medium: Memory}}
      - name: linkerd-identity-token
        projected: {sources: [{serviceAccountToken: {path: linkerd-identity-token, expirationSeconds: 86400, audience: identity.l5d.io}}]}
      {{- range $.volumes }}
      - {{ toJson . }}
      {{- end }}
{{- end }}
{{- end }}

{{/* The certificate of a webhook, where it is not made elsewhere: a dict of root, name, values. */}}
{{- define "certificate" -}}
{{- if not .values.externalSecret }}
{{- $made := genSelfSignedCert (printf "%s.%s.svc" .name .root.Release.Namespace) nil nil 365 }}
apiVersion: v1
kind: Secret
metadata: {name: {{ .name }}-k8s-tls}
type: kubernetes.io/tls
data: {tls.crt: {{ b64enc $made.Cert }}, tls.key: {{ b64enc $made.Key }}}
{{- end }}
{{- end }}

{{- define "inject" -}}
{{- if .injectCaFrom }}
  annotations: {cert-manager.io/inject-ca-from: {{ .injectCaFrom }}}
{{- end }}
{{- end }}
