FOR /f "tokens=*" %%i IN ('aws ecr get-login --region us-east-1') DO %%i
aws ecr get-login-password ^
  | docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
