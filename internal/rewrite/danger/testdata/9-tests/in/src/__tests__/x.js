const x = `${account}.dkr.ecr.us-east-1.amazonaws.com`;
