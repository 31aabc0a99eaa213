import re
text = re.sub(r"image: .*/api:.*", f"image: {image}", open(p).read())
name = repository.replace(".dkr.ecr.", "")
