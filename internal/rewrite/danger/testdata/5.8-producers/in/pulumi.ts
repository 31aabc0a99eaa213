import * as docker from "@pulumi/docker";
const one = new docker.Image("one", { imageName: "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1.0.0", build: "." });
const two = new docker.Image("two", {
  build: { context: "." },
  imageName: "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web:1.0.0",
});
const pod = new k8s.Pod("p", { spec: { containers: [{ image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/cart:1.0.0" }] } });
