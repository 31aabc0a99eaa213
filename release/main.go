// Command release builds what a release consists of, from a git checkout, into one folder: an archive for each platform,
// a bill of materials, and the checksums of all of them.
//
//	go build ×6 ─→ transship ─→ tar.gz, zip ─┬─→ SHA256SUMS
//	                  └─ debug/buildinfo ─→ SBOM ─┘
//
// The same commit, built by the same release of Go, gives the same bytes on any machine and in any folder: paths are
// trimmed, no C compiler is used, times are those of the commit, and nothing is taken from the environment that would
// show. It imports the standard library alone, and is a module of its own, so that it does not reach the product.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// release is one run.
type release struct {
	root    string    // the checkout
	out     string    // where the files go
	version string    // what the binary says of itself
	time    time.Time // the commit's: that of every file
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	out := flags.String("out", "../dist", "the folder that the files go to; what is in it is removed")
	root := flags.String("root", "..", "the checkout")
	version := flags.String("version", "", "the version; empty means that of git describe")
	targets := flags.String("targets", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64", "the platforms")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := release{out: *out, version: *version}
	var err error
	if r.root, err = filepath.Abs(*root); err != nil {
		return err
	}
	if r.out, err = filepath.Abs(*out); err != nil {
		return err
	}
	if err := r.describe(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	bill := newBill(r.version, r.time)
	for target := range strings.SplitSeq(*targets, ",") {
		binary, err := r.build(ctx, target)
		if err != nil {
			return err
		}
		if err := errors.Join(bill.read(binary), r.pack(target, binary), os.RemoveAll(filepath.Dir(binary))); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
	}
	if err := bill.write(filepath.Join(r.out, "transship_"+r.plain()+".cdx.json")); err != nil {
		return err
	}
	return r.sum()
}

// describe asks git for the version and the time of the commit, unless they were given.
func (r *release) describe(ctx context.Context) error {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	for into, args := range map[*string][]string{
		&r.version: {"describe", "--tags", "--always", "--dirty"},
		&seconds:   {"log", "-1", "--format=%ct"},
	} {
		if *into != "" {
			continue
		}
		text, err := exec.CommandContext(ctx, "git", append([]string{"-C", r.root}, args...)...).Output()
		if err != nil {
			return fmt.Errorf("git %s: %w (releases are built from a git checkout)", args[0], err)
		}
		*into = strings.TrimSpace(string(text))
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	r.time = time.Unix(n, 0).UTC()
	if strings.ContainsAny(r.version, "/\\ '\"") {
		return fmt.Errorf("the version %q does not fit into the name of a file", r.version)
	}
	return nil
}

// plain is the version without the v of its tag.
func (r *release) plain() string { return strings.TrimPrefix(r.version, "v") }

// build makes the binary for a target, such as linux/amd64, in a folder of its own, and returns its path.
func (r *release) build(ctx context.Context, target string) (string, error) {
	system, processor, ok := strings.Cut(target, "/")
	if !ok {
		return "", fmt.Errorf("the target %q is not SYSTEM/PROCESSOR", target)
	}
	dir, err := os.MkdirTemp("", "transship-release-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "transship")
	if system == "windows" {
		binary += ".exe"
	}
	fmt.Println("building", target)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true",
		"-ldflags", "-s -w -buildid= -X transship/internal/cli.version="+r.version, "-o", binary, "./cmd/transship")
	build.Dir, build.Stderr = r.root, os.Stderr
	// What somebody set for themselves must not show in what everybody gets.
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off", "GOFIPS140=off", "GODEBUG=")
	if err := build.Run(); err != nil {
		return "", errors.Join(fmt.Errorf("build %s: %w", target, err), os.RemoveAll(dir))
	}
	return binary, nil
}
