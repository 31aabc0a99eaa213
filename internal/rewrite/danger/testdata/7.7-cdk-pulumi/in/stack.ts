import * as ecr from 'aws-cdk-lib/aws-ecr';
const repo = ecr.Repository.fromRepositoryName(this, 'Repo', 'team/api');
const other = Repository.fromRepositoryArn(this, 'Other', arn); // ECR
const a = ContainerImage.fromEcrRepository(repo, 'v1');
const made = new ecr.Repository(this, 'New');
const b = lib.fromImage('123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1');
const asset = new ecr_assets.DockerImageAsset(this, 'Asset', {});
