image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/fn:1"
api_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
