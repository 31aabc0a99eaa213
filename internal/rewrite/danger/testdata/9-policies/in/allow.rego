package k8s

allowed { startswith(input.image, "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/") }
allowed { regex.match("^123456789012\\.dkr\\.ecr\\..*", input.image) }
