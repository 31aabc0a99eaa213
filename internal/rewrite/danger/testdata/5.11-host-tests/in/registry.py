if ".dkr.ecr." in image:
    login()
if registry.endswith("123456789012.dkr.ecr.us-east-1.amazonaws.com"):
    login()
