if (image.includes('.dkr.ecr.')) login();
const kind = host.startsWith("123456789012.dkr.ecr.us-east-1.amazonaws.com") ? 'aws' : 'other';
