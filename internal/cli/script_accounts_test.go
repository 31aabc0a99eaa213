package cli

import (
	"encoding/json"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/iamsim"
)

const otherAccount = "210987654321"

// accounts is the script command that stands up two accounts in two regions and takes all keys but a user's away: each
// account has a role that the user may assume, and Google takes the user's AWS identity by workload identity
// federation. The first account's second region is a replica of its first one.
func accounts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: accounts")
	}
	w := worldOf(ts)
	user := w.sim.AWS().AddUser(otherAccount, "ci")
	for _, account := range []string{scriptAccount, otherAccount} {
		w.sim.AWS().AddRole(iamsim.Role{ARN: "arn:aws:iam::" + account + ":role/reader", Trust: []string{otherAccount}, ExternalID: "moving"})
	}
	spec := corpus.Flat(4, 2)
	w.sim.ECR(scriptAccount, scriptRegion).Load(corpus.Generate(spec))
	w.sim.ECR(scriptAccount, "eu-west-1").Load(corpus.Generate(spec))
	spec.Seed = 9
	w.sim.ECR(otherAccount, "eu-west-1").Load(corpus.Generate(spec))

	const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws"
	w.sim.Google().AddPool(iamsim.Pool{Audience: pool, Account: otherAccount})
	b, err := json.Marshal(map[string]any{
		"type": "external_account", "audience": pool, "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
		"token_url": "https://sts.googleapis.com/v1/token",
		"credential_source": map[string]string{
			"environment_id":                 "aws1",
			"regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
		},
	})
	ts.Check(err)
	path := ts.MkAbs(".federation.json")
	ts.Check(os.WriteFile(path, b, 0o600))
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": user.AccessKeyID, "AWS_SECRET_ACCESS_KEY": user.SecretAccessKey, "AWS_REGION": scriptRegion,
		"GOOGLE_OAUTH_ACCESS_TOKEN": "", "GOOGLE_APPLICATION_CREDENTIALS": path,
	} {
		ts.Setenv(name, value)
	}
}
