package cloudsim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
)

func TestKeysScopesAndAccounts(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	a, b := sim.ECR(account, region), sim.ECR("210987654321", region)
	a.SetAccessKeys("AKIAA")
	b.SetAccessKeys("AKIAB")
	a.CreateRepository("in-a", ecrsim.RepositorySettings{})
	b.CreateRepository("in-b", ecrsim.RepositorySettings{})
	_, err := sdk(sim, "AKIAX").DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
	wantCode(t, err, "UnrecognizedClientException")
	for key, want := range map[string]string{"AKIAA": "in-a", "AKIAB": "in-b"} {
		out, err := sdk(sim, key).DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
		if err != nil || len(out.Repositories) != 1 || *out.Repositories[0].RepositoryName != want {
			t.Errorf("%s: %v, %+v", key, err, out)
		}
	}
	out, err := sdk(sim, "AKIAA").DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RegistryId: aws.String(b.Account())})
	if err != nil || *out.Repositories[0].RepositoryName != "in-b" {
		t.Errorf("another account's registry: %v, %+v", err, out)
	}
	do(t, sim.HTTPClient(), "POST", "https://api.ecr.us-east-1.amazonaws.com/", "{}",
		"X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.DescribeRepositories").want(t, 400, "MissingAuthenticationTokenException")
	wrong := "Authorization: AWS4-HMAC-SHA256 Credential=AKIAA/20260301/eu-west-1/ecr/aws4_request, SignedHeaders=host, Signature=0"
	do(t, sim.HTTPClient(), "POST", "https://api.ecr.us-east-1.amazonaws.com/", "{}", wrong,
		"X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.DescribeRepositories").want(t, 400, "InvalidSignatureException")
}

func TestCallerIdentity(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.ECR(account, region)
	client := sts.New(sts.Options{Region: region, HTTPClient: sim.HTTPClient(),
		Credentials: aws.CredentialsProviderFunc(sdk(sim, "AKIA").Options().Credentials.Retrieve)})
	out, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *out.Account != account || *out.Arn != "arn:aws:iam::"+account+":user/migrator" {
		t.Errorf("%v, %+v", err, out)
	}
}

func TestThrottlingByTheClock(t *testing.T) {
	clock := newClock()
	sim := start(t, cloudsim.Options{Now: clock.Now})
	reg := sim.ECR(account, region)
	reg.SetLimit("DescribeRepositories", 1, 2)
	client := sdk(sim, "AKIA")
	for range 2 {
		if _, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
	wantCode(t, err, "ThrottlingException")
	clock.Advance(time.Second)
	if _, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{}); err != nil {
		t.Error(err)
	}
	if got := sim.Counts()["ecr.DescribeRepositories"]; got.Requests != 4 || got.Refused != 1 {
		t.Errorf("counted %+v", got)
	}
}

func TestSDKInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := cloudsim.New(cloudsim.Options{})
		if err := sim.StartMemory(); err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		sim.ECR(account, region)
		auth := "Authorization: " + token(t, sim)
		client := sim.HTTPClient()
		do(t, client, "GET", base, "", auth).want(t, 200, "")
		time.Sleep(12 * time.Hour)
		do(t, client, "GET", base, "", auth).want(t, 403, "expired")
	})
}
