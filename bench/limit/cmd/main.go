// Command cmd runs the bare minimum client on a plan, a JSON file that the bench wrote. The credentials are in the
// environment: LIMIT_ACCESS_KEY, LIMIT_ECR_PASSWORD and LIMIT_TARGET_TOKEN; so are proxy and trust.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"transship/bench/limit"
)

func main() {
	workers := flag.Int("workers", limit.DefaultWorkers, "how many requests are under way")
	flag.Parse()
	if err := run(flag.Arg(0), *workers); err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		os.Exit(1)
	}
}

func run(file string, workers int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var plan limit.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		return fmt.Errorf("read the plan %s: %w", file, err)
	}
	return limit.Run(context.Background(), plan, limit.Options{
		Client: limit.NewClient(nil), Workers: workers,
		Credentials: limit.Credentials{
			AccessKey: os.Getenv("LIMIT_ACCESS_KEY"), ECRPassword: os.Getenv("LIMIT_ECR_PASSWORD"), TargetToken: os.Getenv("LIMIT_TARGET_TOKEN"),
		},
	})
}
