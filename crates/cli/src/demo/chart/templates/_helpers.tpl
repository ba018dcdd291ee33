{{- define "shop.labels" -}}
app.kubernetes.io/name: web
{{- end }}
