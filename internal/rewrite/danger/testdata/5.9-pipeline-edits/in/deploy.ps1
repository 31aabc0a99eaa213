(Get-Content k8s.yaml) -replace 'image: .*', "image: $image" | Set-Content k8s.yaml
