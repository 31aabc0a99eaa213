{{- define "image" -}}
{{ printf "%s/%s" "123456789012.dkr.ecr.us-east-1.amazonaws.com" .Values.name }}
image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:{{ .Values.tag }}"
image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/{{ .Values.c }}:1"
image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api{{ .suffix }}:1"
{{ .awsAccountID }}.dkr.ecr.eu-west-1.amazonaws.com/{{ .image }}
{{- end }}
