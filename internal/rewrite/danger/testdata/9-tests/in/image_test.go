package image

const ref = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
const other = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web:1"
