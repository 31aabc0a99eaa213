import boto3
repo = f"{account}.dkr.ecr.{region}.amazonaws.com/team/api"
repo = "%s.dkr.ecr.%s.amazonaws.com/team/api" % (account, region)
repo = "{}.dkr.ecr.{}.amazonaws.com".format(account, region)
repo = "".join([account, ".dkr.ecr.", region, ".amazonaws.com"])
image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
