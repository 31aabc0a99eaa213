client = boto3.client("ecr")
