estimator = Estimator(image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/team/train:1", role=role)
client.create_model(
    PrimaryContainer={
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/model:1",
    },
)
run("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1")
