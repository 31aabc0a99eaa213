const repo = `${props.account}.dkr.ecr.${props.region}.amazonaws.com/team/api`;
const uri = Fn.join('', [account, '.dkr.ecr.', region, '.', Aws.URL_SUFFIX]);
