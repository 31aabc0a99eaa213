// Command transship moves container images from Amazon ECR to Google Artifact
// Registry and proves that all of them arrived. Run it without arguments for
// an introduction; everything it does lives in internal/cli and below.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"transship/internal/cli"
)

func main() {
	// Most of what is in memory are documents that live to the end, so that the usual pace of collection, once a heap has
	// doubled, takes twice of what they need. At half of that the CPU is the same, within what can be measured.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean stop; giving the signals back then
	// lets a second one end the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}
