import pulumi_docker as docker
img = docker.Image("img",
    build=docker.DockerBuildArgs(context="."),
    image_name="123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1.0.0")
