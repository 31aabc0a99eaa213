const secret = new Secret(this, 'Decree');
const image = ContainerImage.fromAsset('.');
const run = 'docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1';
