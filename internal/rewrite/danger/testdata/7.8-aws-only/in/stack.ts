const fn = new lambda.DockerImageFunction(this, 'Fn', { code: lambda.DockerImageCode.fromEcr(repo) });
