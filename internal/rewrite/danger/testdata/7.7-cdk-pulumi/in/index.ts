const repo = new aws.ecr.Repository("app");
const image = new awsx.ecr.Image("app", { repositoryUrl: repo.url });
