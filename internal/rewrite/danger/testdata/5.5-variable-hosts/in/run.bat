set REPO=%ACCT%.dkr.ecr.us-east-1.amazonaws.com/team/api
