// Command serve runs the embedded clouds for real clients: it fills an ECR registry with the demo's images, sets on its
// repositories what teams set on theirs, serves it and an empty Artifact Registry behind a proxy on the loopback interface,
// and prints the environment that aws, gcloud, crane and transship need to reach them at their real names. It stops when it
// is interrupted.
package main

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/sqssim"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	token   = "embedded"
)

func main() {
	rtt := flag.Duration("rtt", 0, "round-trip time to both clouds")
	large := flag.Bool("large", false, "some 75 MB of images instead of 10 MB")
	create := flag.Bool("create", false, "create the Artifact Registry repository app-images of my-gcp-project")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *rtt, *large, *create); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, rtt time.Duration, large, create bool) error {
	o := cloudsim.Options{RTT: rtt}
	o.AR.Token = token
	sim := cloudsim.New(o)
	defer sim.Close()
	spec := corpus.Demo()
	if large {
		spec = corpus.Standard()
	}
	registry := sim.ECR(account, region)
	registry.Load(corpus.Generate(spec))
	registry.Guard()
	sqs := sim.SQS(region)
	dead := sqs.CreateQueue(account, "transship-dead", sqssim.QueueOptions{})
	events := sqs.CreateQueue(account, "transship", sqssim.QueueOptions{MaxReceives: 5, DeadLetters: dead})
	registry.SetEvents(events.Send)
	if create {
		if err := sim.AR().CreateRepository("us", "my-gcp-project", "app-images", arsim.Repository{Format: "DOCKER"}); err != nil {
			return err
		}
	}
	sim.AR()
	if err := sim.StartMemory(); err != nil {
		return err
	}
	proxy, err := sim.StartProxy()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "transship-clouds-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ca, tokenFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	if err := os.WriteFile(ca, sim.CAPEM(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		return err
	}
	login := base64.StdEncoding.EncodeToString([]byte("oauth2accesstoken:" + token))
	docker := fmt.Sprintf(`{"auths":{"us-docker.pkg.dev":{"auth":%q}}}`, login)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(docker), 0o600); err != nil {
		return err
	}
	for _, pair := range [][2]string{
		{"HTTPS_PROXY", proxy}, {"SSL_CERT_FILE", ca},
		{"AWS_CA_BUNDLE", ca}, {"AWS_ACCESS_KEY_ID", "AKIDEMBEDDED00000000"}, {"AWS_SECRET_ACCESS_KEY", "embedded"}, {"AWS_REGION", region},
		{"AWS_DEFAULT_REGION", region}, {"REQUESTS_CA_BUNDLE", ca}, {"CURL_CA_BUNDLE", ca}, {"DOCKER_CONFIG", dir},
		{"GOOGLE_OAUTH_ACCESS_TOKEN", token}, {"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", tokenFile},
		{"CLOUDSDK_CORE_PROJECT", "my-gcp-project"}, {"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", ca},
	} {
		fmt.Printf("export %s=%s\n", pair[0], pair[1])
	}
	fmt.Fprintf(os.Stderr, "# ECR's events go to %s\n# serving until interrupted\n", events.URL())
	<-ctx.Done()
	fmt.Fprint(os.Stderr, sim.Counts())
	dials := sim.AllDials()
	for _, host := range slices.Sorted(maps.Keys(dials)) {
		fmt.Fprintf(os.Stderr, "# %d connections to %s\n", dials[host], host)
	}
	return nil
}
