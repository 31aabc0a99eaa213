package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// binFolder is where the tools are built; git ignores it.
const binFolder = ".bin"

// peer is a program that is installed at a pinned version, built with the dependencies that its authors released it
// with: a module of ours that requires all of them would mix these.
type peer struct{ name, module, pkg, version string }

func peers() []peer {
	return []peer{
		{"crane", "github.com/google/go-containerregistry", "/cmd/crane", "v0.22.1"},
		{"regctl", "github.com/regclient/regclient", "/cmd/regctl", "v0.11.7"},
		{"regsync", "github.com/regclient/regclient", "/cmd/regsync", "v0.11.7"},
		{"oras", "oras.land/oras", "/cmd/oras", "v1.3.6"},
	}
}

// binaries are the tools' paths by name.
type binaries map[string]string

// enterFolder makes the bench's folder the working directory, from there or from the repository's root.
func enterFolder() error {
	for _, dir := range []string{".", "bench"} {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module transship/bench\n") {
			return os.Chdir(dir)
		}
	}
	return errors.New("run it in the bench folder or in the repository's root: it builds what it measures")
}

// install builds Transship and the bare minimum client, and installs the peers that are not there yet.
func install(ctx context.Context, o options, log io.Writer) (binaries, error) {
	bin, err := filepath.Abs(binFolder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	tools := binaries{"transship": filepath.Join(bin, "transship"), "limit": filepath.Join(bin, "limit")}
	fmt.Fprintln(log, "building transship and the bare minimum client")
	if o.binary != "" {
		if tools["transship"], err = filepath.Abs(o.binary); err != nil {
			return nil, err
		}
	} else if err := goTool(ctx, "..", nil, "build", "-trimpath", "-o", tools["transship"], "./cmd/transship"); err != nil {
		return nil, err
	}
	if err := goTool(ctx, ".", nil, "build", "-trimpath", "-o", tools["limit"], "./limit/cmd"); err != nil {
		return nil, err
	}
	if !o.peers {
		return tools, nil
	}
	for _, p := range peers() {
		dir := filepath.Join(bin, p.version) // a new pin does not find the old binary
		tools[p.name] = filepath.Join(dir, p.name)
		if _, err := os.Stat(tools[p.name]); err == nil {
			continue
		}
		fmt.Fprintf(log, "installing %s %s\n", p.name, p.version)
		if err := goTool(ctx, bin, []string{"GOBIN=" + dir}, "install", p.module+p.pkg+"@"+p.version); err != nil {
			return nil, err
		}
	}
	if path, err := exec.LookPath("skopeo"); err == nil {
		tools["skopeo"] = path
	}
	return tools, nil
}

// goTool runs the go command.
func goTool(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "GOWORK=off"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
