resource "docker_registry_image" "api" {
  name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1.0.0"
}

resource "docker_image" "cart" {
  name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/cart:1.0.0"
}
